#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "features/traffic/overload/fair_queue.h"
#include "features/traffic/overload/group.h"
#include "features/traffic/overload/limiter.h"

namespace causeway::overload {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// A server that works on so many at once and has the others wait, in virtual time; asked as often
// as the limiter lets.
class Simulation {
 public:
  std::uint32_t capacity = 8;
  nanoseconds service = 200ms;
  double demand = 1000;  // at once
  Limiter limiter;
  Limiter::Bounds bounds{.least = 2, .most = 1000, .slower = 1.15};
  Monotonic now{};

  // Gives what was answered a second.
  double run(std::chrono::seconds time) {
    const Monotonic until = now + time;
    std::size_t answered = 0;
    while (now < until) {
      while (in_flight_.size() + 1 <= std::min(limiter.limit(bounds), demand)) begin();
      const Call call = in_flight_.top();
      in_flight_.pop();
      now = call.ends;
      limiter.answered(1, call.ends - call.began, call.with, now, bounds);
      ++answered;
    }
    return static_cast<double>(answered) / static_cast<double>(time.count());
  }

 private:
  struct Call {
    Monotonic began, ends;
    std::uint32_t with;
    bool operator>(const Call& other) const { return ends > other.ends; }
  };
  void begin() {
    free_.resize(capacity, now);
    auto server = std::ranges::min_element(free_);
    // 10 % more or less, the same in each run.
    seed_ = seed_ * 1664525 + 1013904223;
    const double more = 0.9 + 0.2 * (seed_ >> 8) / double(1 << 24);
    *server = std::max(*server, now) + nanoseconds(std::int64_t(service.count() * more));
    in_flight_.push({now, *server, std::uint32_t(in_flight_.size() + 1)});
  }
  std::uint32_t seed_ = 1;
  std::vector<Monotonic> free_;
  std::priority_queue<Call, std::vector<Call>, std::greater<>> in_flight_;
};

TEST(Limiter, FindsWhatAServerCanDo) {
  Simulation server;
  server.run(30s);
  const double rate = server.run(60s);
  EXPECT_GE(rate, 0.9 * 8 / 0.2);
  EXPECT_GE(server.limiter.limit(server.bounds), 8);
  EXPECT_LE(server.limiter.limit(server.bounds), 13);
}

TEST(Limiter, FollowsAServerThatLosesAndFindsRoom) {
  Simulation server;
  server.run(60s);
  server.capacity = 4;
  server.run(30s);
  EXPECT_GE(server.run(30s), 0.9 * 4 / 0.2);
  // A queue of some remains: a server that lost room looks like one that got slower.
  EXPECT_LE(server.limiter.limit(server.bounds), 12);
  server.capacity = 32;
  server.run(120s);
  EXPECT_GE(server.run(30s), 0.9 * 32 / 0.2);
}

TEST(Limiter, AFloodFromNothingIsSeenWithinAFewAnswers) {
  Simulation server;
  server.demand = 200;
  server.run(2s);
  EXPECT_LE(server.limiter.limit(server.bounds), 12);
  EXPECT_GE(server.run(10s), 0.85 * 8 / 0.2);
}

TEST(Limiter, WhatGetsSlowerWithoutAQueueIsNotThrottledForLong) {
  Simulation server;
  server.run(60s);
  server.service = 300ms;
  server.run(60s);
  EXPECT_GE(server.run(60s), 0.7 * 8 / 0.3);
}

TEST(Limiter, IsNotThereWhereNothingIsSlow) {
  Simulation server;
  server.capacity = 1000;
  server.demand = 900;
  server.run(10s);
  EXPECT_EQ(server.limiter.limit(server.bounds), 1000);
}

TEST(Limiter, LongAnswersAreNoQueue) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  Monotonic now{};
  for (int i = 0; i < 10'000; ++i) {
    now += 10ms;
    limiter.answered(0, i % 3 == 0 ? 300ms : 20s + i % 7 * 5s, 400, now, bounds);
  }
  EXPECT_EQ(limiter.limit(bounds), bounds.most);
}

TEST(Limiter, ARefusalCountsOnceASecond) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  const Monotonic now = Monotonic{} + 100s;
  for (int i = 0; i < 50; ++i) limiter.refused(100, now, bounds);
  EXPECT_NEAR(limiter.limit(bounds), 90, 0.01);
}

FairQueue::Wake nobody() {
  return [](End) {};
}

// Whom each turn goes to.
std::string turns(FairQueue& queue, std::map<std::uint64_t, char>& names, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = queue.next();
    if (!entry) break;
    out += names[entry->ticket];
  }
  return out;
}

TEST(FairQueue, AFloodWaitsBehindItself) {
  FairQueue queue;
  std::map<std::uint64_t, char> names;
  for (int i = 0; i < 1000; ++i) names[queue.add(1, "a", 1, nobody()).ticket] = 'a';
  EXPECT_EQ(turns(queue, names, 100), std::string(100, 'a'));
  for (int i = 0; i < 10; ++i) names[queue.add(1, "b", 1, nobody()).ticket] = 'b';
  const std::string next = turns(queue, names, 20);
  EXPECT_EQ(std::ranges::count(next, 'b'), 10);
  EXPECT_LE(next.find('b'), 1u);
  EXPECT_EQ(queue.size(), 890u);
}

TEST(FairQueue, SharesByWeightWithinOneTurn) {
  FairQueue queue;
  std::map<std::uint64_t, char> names;
  for (int i = 0; i < 400; ++i) {
    names[queue.add(1, "a", 1, nobody()).ticket] = 'a';
    names[queue.add(1, "b", 3, nobody()).ticket] = 'b';
  }
  const std::string all = turns(queue, names, 400);
  for (std::size_t i = 4; i <= all.size(); i += 4) {
    EXPECT_NEAR(static_cast<double>(std::count(all.begin(), all.begin() + long(i), 'b')),
                0.75 * static_cast<double>(i), 1.01);
  }
}

TEST(FairQueue, PriorityGoesFirstAndWhoLeftIsGone) {
  FairQueue queue;
  std::map<std::uint64_t, char> names;
  const auto low = queue.add(2, "a", 1, nobody());
  names[low.ticket] = 'l';
  names[queue.add(1, "a", 1, nobody()).ticket] = 'n';
  const auto gone = queue.add(0, "b", 1, nobody());
  names[queue.add(0, "b", 1, nobody()).ticket] = 'h';
  EXPECT_TRUE(queue.remove(gone));
  EXPECT_FALSE(queue.remove(gone));
  EXPECT_EQ(queue.before(1, "c", 1), 2u);
  EXPECT_EQ(turns(queue, names, 9), "hnl");
  EXPECT_FALSE(queue.remove(low));
}

TEST(FairQueue, InAFullOneTheGreedyGiveWay) {
  FairQueue queue;
  for (int i = 0; i < 10; ++i) queue.add(1, "a", 1, nobody());
  EXPECT_TRUE(queue.make_room(1, "b", 1));
  EXPECT_FALSE(queue.make_room(1, "a", 1));
  EXPECT_FALSE(queue.make_room(2, "c", 1));
  EXPECT_TRUE(queue.make_room(0, "a", 1));
  EXPECT_EQ(queue.size(), 8u);
}

TEST(Group, GivesEachPlaceOnce) {
  Group group;
  OverloadSettings settings;
  settings.most = 2;
  settings.least = 1;
  settings.queue = 2;
  std::vector<End> ends;
  const auto wake = [&]() -> FairQueue::Wake { return [&](End end) { ends.push_back(end); }; };
  using Result = Group::Entered::Result;
  Monotonic now = Monotonic{} + 1s;
  const auto enter = [&](std::string_view tenant) {
    return group.enter(1, tenant, settings, now, wake);
  };
  EXPECT_EQ(enter("a").result, Result::Goes);
  EXPECT_EQ(enter("a").in_flight, 2u);
  EXPECT_EQ(enter("a").result, Result::Waits);
  const auto second = enter("a");
  EXPECT_EQ(second.result, Result::Waits);
  EXPECT_EQ(enter("a").result, Result::Full);
  EXPECT_EQ(enter("b").result, Result::Waits);  // in the place of the second
  EXPECT_EQ(ends, std::vector{End::GaveWay});
  EXPECT_FALSE(group.give_up(second.place));
  group.leave(now);
  group.leave(now += 10s);
  EXPECT_EQ(ends, (std::vector{End::GaveWay, End::Admitted, End::Admitted}));
  EXPECT_EQ(group.view().in_flight, 2u);
  group.leave(now);
  group.leave(now);
  EXPECT_EQ(group.view().in_flight, 0u);
  EXPECT_EQ(enter("c").result, Result::Goes);
}

TEST(Group, WhoseTurnWouldComeTooLateIsToldAtOnce) {
  Group group;
  OverloadSettings settings;
  settings.most = settings.least = 1;
  settings.wait = 5s;
  using Result = Group::Entered::Result;
  Monotonic now = Monotonic{} + 1s;
  const auto enter = [&] {
    return group.enter(1, "a", settings, now, [] { return nobody(); }).result;
  };
  EXPECT_EQ(enter(), Result::Goes);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(enter(), Result::Waits);
  for (int i = 0; i < 3; ++i) group.leave(now += 1s);
  EXPECT_EQ(enter(), Result::TooLong);
}

}  // namespace
}  // namespace causeway::overload
