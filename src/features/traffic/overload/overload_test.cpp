#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "features/traffic/overload/group.h"
#include "features/traffic/overload/limiter.h"
#include "features/traffic/overload/stage.h"

namespace causeway::overload {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(Limiter, ARefusalCountsOnceASecond) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  const Monotonic now = Monotonic{} + 100s;
  for (int i = 0; i < 50; ++i) limiter.refused({.in_flight = 100}, now, bounds);
  EXPECT_NEAR(limiter.limit(bounds), 90, 0.01);
}

TEST(Limiter, FailuresDoNotKeepItFromLearning) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  Monotonic now = Monotonic{} + 100s;
  const auto ask = [&](std::uint32_t in_flight, std::chrono::milliseconds took) {
    const auto start = limiter.started(in_flight, now, bounds);
    limiter.answered(start, {}, took, now += took, bounds);
  };
  for (int i = 0; i < 100; ++i) ask(1, 200ms);
  for (int i = 0; i < 5000; ++i) limiter.started(50, now += 10ms, bounds);
  for (int i = 0; i < 200; ++i) ask(50, 800ms);
  EXPECT_LT(limiter.limit(bounds), 20);
}

TEST(Limiter, AnswersOfOneKindAreAlike) {
  const auto kind = [](bool streamed, std::size_t bytes, std::uint64_t tokens) {
    return Limiter::kind_of(streamed, bytes, tokens).index;
  };
  EXPECT_EQ(kind(true, 1500, 10), kind(true, 1600, 4000));
  EXPECT_NE(kind(true, 1500, 10), kind(true, 15'000, 10));
  EXPECT_NE(kind(false, 1500, 10), kind(false, 1500, 400));
  EXPECT_NEAR(Limiter::kind_of(false, 1500, 384).factor, 2 / 3.0, 0.01);
  for (const bool streamed : {true, false}) {
    EXPECT_LT(kind(streamed, std::size_t{1} << 40, std::uint64_t{1} << 40), Kinds::kMost);
  }
}

class OneGroup : public ::testing::Test {
 protected:
  using Result = Group::Entered::Result;
  Group::Entered enter(std::string_view tenant) {
    auto entered = group.enter(1, tenant, settings, settings.wait, now, [&]() -> Wake {
      return [this](End end, const Turn& turn) {
        ends.push_back(end);
        if (end == End::Admitted) turns.push_back(turn);
      };
    });
    if (entered.result == Result::Goes) turns.push_back(entered.turn);
    return entered;
  }
  void leave() {
    const Turn turn = turns.front();
    turns.erase(turns.begin());
    group.leave(turn, std::nullopt, now);
  }
  Group group;
  OverloadSettings settings;
  Monotonic now = Monotonic{} + 1s;
  std::vector<End> ends;
  std::vector<Turn> turns;
};

TEST_F(OneGroup, GivesEachPlaceOnce) {
  settings.concurrency = {{"*", {}, 2}};
  settings.queue = 2;
  EXPECT_EQ(enter("a").result, Result::Goes);
  EXPECT_EQ(enter("a").turn.start.in_flight, 2u);
  EXPECT_EQ(enter("a").result, Result::Waits);
  const auto second = enter("a");
  EXPECT_EQ(second.result, Result::Waits);
  EXPECT_EQ(enter("a").result, Result::Full);
  EXPECT_EQ(enter("b").result, Result::Waits);  // in the place of the second
  EXPECT_EQ(ends, std::vector{End::GaveWay});
  group.give_up(second.place, now);  // has been woken: nothing
  leave();
  leave();
  EXPECT_EQ(ends, (std::vector{End::GaveWay, End::Admitted, End::Admitted}));
  EXPECT_EQ(group.view().in_flight, 2u);
  leave();
  leave();
  EXPECT_EQ(group.view().in_flight, 0u);
  EXPECT_EQ(enter("c").result, Result::Goes);
}

TEST_F(OneGroup, KeepsAPlaceForWhoHasLessThanItsShare) {
  settings.concurrency = {{"*", {}, 8}};
  EXPECT_EQ(enter("b").result, Result::Goes);
  leave();
  for (int i = 0; i < 7; ++i) EXPECT_EQ(enter("a").result, Result::Goes);
  EXPECT_EQ(enter("a").result, Result::Waits);
  EXPECT_EQ(enter("b").result, Result::Goes);
  EXPECT_EQ(enter("b").result, Result::Waits);  // all are taken
  leave();
  EXPECT_EQ(group.view().in_flight, 8u);  // b's second
  EXPECT_EQ(group.view().waiting, 1u);
  // When b has been away for long, a may have all of them.
  for (int i = 0; i < 2; ++i) {
    group.leave(turns.back(), std::nullopt, now);
    turns.pop_back();
  }
  now += 60s;
  for (int i = 0; i < 3; ++i) enter("a");
  EXPECT_EQ(group.view().in_flight, 8u);
}

TEST_F(OneGroup, WhoseTurnWouldComeTooLateIsToldAtOnce) {
  settings.concurrency = {{"*", {}, 1}};
  settings.wait = 5s;
  EXPECT_EQ(enter("a").result, Result::Goes);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(enter("a").result, Result::Waits);
  for (int i = 0; i < 3; ++i) {
    now += 1s;
    leave();
  }
  const auto entered = enter("a");
  EXPECT_EQ(entered.result, Result::TooLong);
  EXPECT_GT(entered.expected, 10s);
}

TEST_F(OneGroup, AFewLongOnesDoNotHaveTheOthersRefused) {
  settings.concurrency = {{"*", {}, 8}};
  settings.wait = 2s;
  for (int i = 0; i < 25; ++i) {
    enter("b");
    now += 100ms;
    leave();
  }
  for (int i = 0; i < 7; ++i) enter("a");
  now += 20s;
  for (int i = 0; i < 7; ++i) leave();
  for (int i = 0; i < 7; ++i) EXPECT_EQ(enter("b").result, Result::Goes);  // one is a's
  for (int i = 0; i < 33; ++i) EXPECT_EQ(enter("b").result, Result::Waits);
}

TEST_F(OneGroup, WhoeverLeavesTheQueueLetsThoseBehindHimGo) {
  settings.concurrency = {{"*", {}, 16}};
  enter("b");
  leave();  // there are two: each has a share
  for (int i = 0; i < 15; ++i) EXPECT_EQ(enter("a").result, Result::Goes);
  const auto high = enter("a");  // more than its share: the spare place is not for it
  ASSERT_EQ(high.result, Result::Waits);
  bool went = false;
  const auto low = group.enter(2, "b", settings, settings.wait, now, [&]() -> Wake {
    return [&went](End end, const Turn&) { went = end == End::Admitted; };
  });
  ASSERT_EQ(low.result, Result::Waits);
  group.give_up(high.place, now);
  EXPECT_TRUE(went);
}

TEST_F(OneGroup, SomebodyAlwaysGoes) {
  settings.least = 1;
  // Its limit is learnt to be one: half of that is kept free while it is measured.
  for (int i = 0; i < 4000; ++i) {
    while (turns.size() < 12 && enter("a").result == Result::Goes) {
    }
    ASSERT_FALSE(turns.empty()) << i;
    now += std::chrono::milliseconds(50);
    const Turn turn = turns.front();
    turns.erase(turns.begin());
    group.leave(turn, Group::Answer{{}, now - turn.start.at}, now);
    ASSERT_TRUE(group.view().in_flight > 0 || group.view().waiting == 0) << i;
  }
}

TEST(Limiter, OneRefusalAmongManyAnswersIsAboutItsRequest) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  Monotonic now = Monotonic{} + 100s;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 100; ++i) {
      const auto start = limiter.started(20, now, bounds);
      limiter.answered(start, {}, 200ms, now += 10ms, bounds);
    }
    limiter.refused({.in_flight = 20}, now, bounds);
    limiter.refused({.in_flight = 20}, now, bounds);
  }
  EXPECT_EQ(limiter.limit(bounds), bounds.most);
}

TEST(Limiter, ARefusalWhereThereIsLittleToDoSaysNothing) {
  Limiter limiter;
  const Limiter::Bounds bounds;
  const Monotonic now = Monotonic{} + 100s;
  for (int i = 0; i < 5; ++i) limiter.refused({.in_flight = 2}, now, bounds);
  EXPECT_EQ(limiter.limit(bounds), bounds.most);
}

TEST(Groups, ATargetOfTheConfigurationHasItsOwn) {
  Groups groups;
  for (int i = 0; i < 600; ++i) groups.of("up/junk" + std::to_string(i), false);
  const auto own = groups.of("up/m", true);
  EXPECT_EQ(groups.of("up/m", true), own);
  EXPECT_NE(groups.of("up/another", false), own);
  EXPECT_EQ(groups.of("up/another", false), groups.of("up/one-more", false));
  EXPECT_EQ(groups.list().size(), Groups::kMost + 2);
}

}  // namespace
}  // namespace causeway::overload
