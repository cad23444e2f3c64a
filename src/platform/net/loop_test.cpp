#include "platform/net/loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

TEST(Loop, PostFromOtherThreadsAndStop) {
  Loop loop;
  std::thread runner([&] { loop.run(); });
  int count = 0;  // touched on the loop only
  std::vector<std::thread> posters;
  for (int i = 0; i < 4; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) loop.post([&count] { ++count; });
    });
  }
  for (auto& poster : posters) poster.join();
  loop.post([&loop] { loop.stop(); });
  runner.join();
  EXPECT_EQ(count, 4000);
}

TEST(Loop, AStopBeforeRunIsNotLost) {
  Loop loop;
  loop.stop();
  loop.run();
}

Task<void> sleeper(Loop& loop, std::vector<int>& order, int id, std::chrono::milliseconds time) {
  co_await loop.sleep(time);
  order.push_back(id);
}

TEST(Loop, SleepersWakeInOrderOfTime) {
  Loop loop;
  std::vector<int> order;
  spawn(sleeper(loop, order, 2, 30ms));
  spawn(sleeper(loop, order, 1, 5ms));
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 2; }, 5s));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(Loop, EveryRepeats) {
  Loop loop;
  int ticks = 0;
  loop.every(2ms, [&] { ++ticks; });
  EXPECT_TRUE(loop.run_until([&] { return ticks >= 3; }, 5s));
}

TEST(Loop, KnowsHowLateItIs) {
  Loop loop;
  std::this_thread::sleep_for(200ms);  // before it runs it cannot be late
  EXPECT_EQ(loop.lateness().pulses, 0u);
  loop.post([&] {
    std::this_thread::sleep_for(1s);
    EXPECT_GE(loop.lateness().sum, 4s) << "seen by others while it lasts";
  });
  EXPECT_TRUE(loop.run_until([&] { return loop.lateness().pulses > 9; }, 5s));
  const auto late = loop.lateness();
  EXPECT_GE(late.sum / late.pulses, 300ms);
  EXPECT_LT(late.sum, 5s * late.pulses);
}

struct Join {
  Loop& loop;
  std::size_t cohort;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { loop.join(cohort, waiter); }
  void await_resume() const noexcept {}
};

Task<void> two_stretches(Loop& loop, std::vector<std::string>& order, std::string name) {
  co_await Join{loop, 1};
  order.push_back(name + "1");
  co_await Join{loop, 5};
  order.push_back(name + "5");
  co_await Join{loop, 0};  // an earlier one: again, before the loop waits for anything
  order.push_back(name + "0");
}

TEST(Loop, CohortsGoThroughEachStretchTogether) {
  Loop loop(0, 1h);
  std::vector<std::string> order;
  spawn(two_stretches(loop, order, "a"));  // begun outside the loop
  spawn(two_stretches(loop, order, "b"));
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 6; }, 5s));
  EXPECT_EQ(order, (std::vector<std::string>{"a1", "b1", "a5", "b5", "a0", "b0"}));
  order.clear();
  loop.post([&] { spawn(two_stretches(loop, order, "c")); });  // nothing else will wake the loop
  EXPECT_TRUE(loop.run_until([&] { return order.size() == 3; }, 5s));
}

TEST(Loop, WhatIsReadyForEverDoesNotKeepACohortWaiting) {
  Loop loop;
  bool stop = false;
  std::function<void()> again = [&] {
    if (!stop) loop.post(again);
  };
  for (int i = 0; i < 8; ++i) loop.post(again);
  for (int i = 0; i < 300; ++i) {  // also when the loop has noticed the crowd
    std::vector<std::string> order;
    loop.post([&] { spawn(two_stretches(loop, order, "a")); });
    ASSERT_TRUE(loop.run_until([&] { return order.size() == 3; }, 5s));
  }
  stop = true;
  EXPECT_TRUE(loop.run_until([] { return false; }, 10ms) == false);
}

Task<void> busy(Loop& loop, const bool& stop, int& rounds) {
  while (!stop) {
    const auto end = std::chrono::steady_clock::now() + 20us;
    while (std::chrono::steady_clock::now() < end) {
    }
    ++rounds;
    co_await loop.next_turn(Loop::BackRow::Ahead);
  }
}

TEST(Loop, ThoseWhoAlwaysHaveMoreToDoShareASmallPartOfEachTurn) {
  Loop loop;
  bool stop = false;
  int rounds = 0;
  for (int i = 0; i < 200; ++i) spawn(busy(loop, stop, rounds));
  int turns = 0;
  for (int hop = 0; hop < 200; ++hop) {  // one that comes and goes
    const int before = rounds;
    bool done = false;
    loop.post([&] { done = true; });
    ASSERT_TRUE(loop.run_until([&] { return done; }, 5s));
    turns += rounds - before;
  }
  EXPECT_LE(turns, 200 * 5) << "of 20 microseconds each, where 50 are theirs";
  const int before = rounds;  // nobody else is there
  EXPECT_FALSE(loop.run_until([] { return false; }, 50ms));
  EXPECT_GT(rounds - before, 200);
  stop = true;
  EXPECT_FALSE(loop.run_until([] { return false; }, 50ms));
}

TEST(Loop, NowFollowsTheSteadyClock) {
  Loop loop;
  const auto difference = std::chrono::steady_clock::now() - loop.now();
  EXPECT_GE(difference, 0ms);
  EXPECT_LT(difference, 50ms);
}

struct Counted : Swept {
  void sweep(Monotonic) override {
    ++count;
    if (victim) victim->unlink();
    victim = nullptr;
  }
  int count = 0;
  Swept* victim = nullptr;
};

TEST(Loop, SweptMayUnlinkOthersDuringASweep) {
  Loop loop(0, 2ms);
  Counted a, b, c;
  loop.watch(c);
  loop.watch(b);
  loop.watch(a);  // swept first
  a.victim = &b;
  EXPECT_TRUE(loop.run_until([&] { return c.count >= 2; }, 5s));
  EXPECT_GE(a.count, 2);
  EXPECT_EQ(b.count, 0);
  EXPECT_FALSE(b.linked());
}

TEST(Loop, SweptMayOutliveTheLoop) {
  Counted late;
  {
    Loop loop(0, 2ms);
    loop.watch(late);
  }
  EXPECT_FALSE(late.linked());
}

}  // namespace
}  // namespace causeway::net
