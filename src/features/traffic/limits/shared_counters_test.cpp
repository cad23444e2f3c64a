#include "features/traffic/limits/shared_counters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "features/traffic/limits/shared_counters_test_support.h"
#include "features/traffic/limits/shared_scripts.h"

namespace causeway::limits {
namespace {

TEST_F(SharedTest, ThreeReplicasHaveTheLimitOnceTogether) {
  std::vector<std::unique_ptr<redis::Client>> clients;
  std::vector<std::unique_ptr<SharedCounters>> counters;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    counters.push_back(std::make_unique<SharedCounters>(loop, *clients.back()));
  }
  std::vector<Outcome> outcomes(1000);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    spawn(run_reserve(*counters[i % 3], {window("k", 100)}, outcomes[i]));
  }
  ASSERT_TRUE(until([&] { return std::ranges::all_of(outcomes, &Outcome::has_value); }));
  std::size_t granted = 0;
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(*outcome) << outcome->error().message << outcome->error().detail;
    granted += (*outcome)->granted;
    if (!(*outcome)->granted) {
      EXPECT_EQ((*outcome)->standings[0].used, 100);
      EXPECT_NEAR(static_cast<double>((*outcome)->standings[0].wait_ms), 58'000, 4'000);
    }
  }
  EXPECT_EQ(granted, 100u);
  counters.clear();
}

TEST_F(SharedTest, AllOrNothing) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  EXPECT_TRUE(reserve(counters, {window("a", 10, 10)})->granted);
  const auto verdict = reserve(counters, {running("c", 5), month("m", 100, 50), window("a", 10)});
  EXPECT_FALSE(verdict->granted);
  EXPECT_EQ(verdict->which, 2u);
  EXPECT_EQ(used(counters, running("c", 5)), 0);
  EXPECT_EQ(used(counters, month("m", 100, 50)), 0);
  EXPECT_EQ(reserve(counters, {window("b", 10, 11)})->standings[0].wait_ms, -1);  // never
  EXPECT_EQ(reserve(counters, {window("b", 3, 2), window("b", 3, 2)})->which, 1u);
  EXPECT_EQ(reserve(counters, {month("m", 100, 101)})->standings[0].wait_ms, -1);
  EXPECT_FALSE(reserve(counters, {window("", 1)}));
  EXPECT_FALSE(reserve(counters, {window("k", kLargest + 1)}));
}

TEST_F(SharedTest, ExactUpToTheLargestNumber) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  for (const auto& kind :
       {window("k", kLargest, kLargest - 1), month("m", kLargest, kLargest - 1)}) {
    EXPECT_TRUE(reserve(counters, {kind})->granted);
    SharedAmount more = kind;
    more.amount = 2;
    EXPECT_EQ(reserve(counters, {more})->standings[0].used, kLargest - 1);
    more.amount = 1;
    EXPECT_EQ(reserve(counters, {more})->standings[0].used, kLargest);
  }
}

TEST_F(SharedTest, WhatADeadReplicaHadComesBack) {
  const auto first = client(), second = client();
  auto dying = std::make_unique<SharedCounters>(loop, *first, timed());
  SharedCounters other(loop, *second, timed());
  std::vector<SharedVerdict> held;
  for (int i = 0; i < 120; ++i) {
    held.push_back(
        *reserve(*dying, {running("c", 1000), month("m", 10'000, 7), window("w", 1000, 3)}));
  }
  dying.reset();
  now += 29'000'000;
  EXPECT_EQ(used(other, running("c", 1)), 120);
  now += 2'000'000;
  for (int i = 0; i < 10; ++i) used(other, running("c", 1));  // each takes back a part
  EXPECT_EQ(used(other, running("c", 1)), 0);
  EXPECT_EQ(used(other, month("m", 1, 1)), 0);
  EXPECT_EQ(used(other, window("w", 1, 1)), 360) << "it may have been sent";
  // One that was only cut off, and says now what it has spent.
  SharedCounters late(loop, *first, timed());
  warm(*first, late);
  for (int i = 0; i < 2; ++i) settle(late, held[0], {0, 5, 2});
  EXPECT_EQ(used(late, month("m", 1, 1)), 5);
  EXPECT_EQ(used(late, window("w", 1, 1)), 360);
  EXPECT_EQ(used(late, running("c", 1)), 0);
}

TEST_F(SharedTest, AnIdleReplicaKeepsWhatItHas) {
  const auto first = client(), second = client();
  SharedCounters::Options brief;
  brief.lease = 1200ms;
  auto idle = std::make_unique<SharedCounters>(loop, *first, brief);
  SharedCounters other(loop, *second, brief);
  EXPECT_TRUE(reserve(*idle, {running("c", 5)})->granted);
  loop.run_until([] { return false; }, 2400ms);
  EXPECT_EQ(used(other, running("c", 1)), 1);
  idle.reset();  // now its heartbeat has ended; the other's takes back
  EXPECT_TRUE(until([&] { return used(other, running("c", 1)) == 0; }));
}

TEST_F(SharedTest, TheRightsOfThePageAreEnough) {
  const auto with = client();
  const Words words{"ACL",    "SETUSER", "causeway",    "on",    ">secret", "~causeway:*",
                    "+@read", "+@write", "+@scripting", "+time", "+select", "+ping"};
  std::optional<Result<redis::Reply>> set;
  spawn(run_command(*with, words, set));
  ASSERT_TRUE(until([&] { return set.has_value(); }));
  ASSERT_EQ((*set)->text, "OK");
  redis::Settings settings = server.settings(2s);
  settings.user = "causeway";
  settings.password = Secret("secret");
  const auto limited = redis::make_client(loop, settings, nullptr);
  SharedCounters counters(loop, *limited);
  warm(*limited, counters);
  const auto verdict = reserve(counters, {running("c", 5), window("w", 5), month("m", 5, 2)});
  ASSERT_TRUE(verdict) << verdict.error().detail;
  settle(counters, *verdict, {0, 1, 1});
  EXPECT_EQ(used(counters, month("m", 5, 1)), 1);
}

TEST_F(SharedTest, SettledOncePartByPart) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  warm(*with, counters);
  const auto verdict = reserve(counters, {running("c", 5), month("m", 100, 50)});
  for (int i = 0; i < 2; ++i) settle(counters, *verdict, {std::nullopt, 20});
  EXPECT_EQ(used(counters, month("m", 1, 1)), 20);
  EXPECT_EQ(used(counters, running("c", 1)), 1);
  for (int i = 0; i < 2; ++i) settle(counters, *verdict, {0, std::nullopt});
  for (int i = 0; i < 2; ++i) settle(counters, *verdict, {0, 15});
  EXPECT_EQ(used(counters, running("c", 1)), 0);
  EXPECT_EQ(used(counters, month("m", 1, 1)), 20);
}

TEST_F(SharedTest, APausedServerCostsTheDeadlineAndWhatIsUncertainIsUndone) {
  const auto with = client(200ms), patient = client();
  SharedCounters counters(loop, *with, SharedCounters::Options());
  SharedCounters other(loop, *patient, SharedCounters::Options());
  warm(*patient, other);
  const auto held = reserve(counters, {running("c", 10)});
  ASSERT_TRUE(held && held->granted);
  server.pause();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(reserve(counters, {running("c", 10)}).error().kind, ErrorKind::Timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1100ms)
      << "not until the connection is given up, a second behind the deadline";
  settle(counters, *held, {0});
  EXPECT_TRUE(until([&] { return counters.stats().pending == 2; }));
  server.go_on();
  EXPECT_TRUE(until([&] {
    return with->answers() && counters.stats().pending == 0 && with->stats().outstanding == 0;
  }));
  EXPECT_EQ(used(other, running("c", 1)), 0);
}

TEST_F(SharedTest, AShortOutageIsAReturnAsWell) {
  const auto with = client(20ms);
  SharedCounters counters(loop, *with, SharedCounters::Options());
  int returns = 0;
  counters.on_return([&] { ++returns; });
  ASSERT_TRUE(until([&] { return counters.replicas() > 0; }));
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(until([&] { return counters.answers(); }));
    const int before = returns;
    server.pause();
    while (counters.may_be_asked()) reserve(counters, {running("c", 10)});
    server.go_on();
    EXPECT_TRUE(until([&] { return counters.answers(); }));
    EXPECT_EQ(returns, before + 2) << "what was taken, and what was taken since";
  }
}

TEST_F(SharedTest, AKilledServerIsAnErrorAndARestartedOneBeginsAnew) {
  const auto with = client();
  SharedCounters counters(loop, *with, SharedCounters::Options());
  const auto held = reserve(counters, {running("c", 10), window("w", 5, 5)});
  ASSERT_TRUE(held && held->granted);
  server.kill();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(reserve(counters, {running("c", 10)}));
  ASSERT_TRUE(server.start());
  EXPECT_TRUE(until([&] { return with->answers(); }));
  settle(counters, *held, {0, 3});
  EXPECT_EQ(used(counters, running("c", 1)), 0);
  EXPECT_TRUE(reserve(counters, {window("w", 5, 5)})->granted);
}

TEST_F(SharedTest, WhatIsUndoneBeforeItComesIsRefused) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  raw(*with, kSettle, {"h", "7", "30000", std::to_string(now), "r1", "undo"});
  const std::string at = std::to_string(now);
  const auto late =
      raw(*with, kReserve, {"h", "7", "30000", at, "r1", "c", "k", "5", "1", "0", "0", "0", "0"});
  ASSERT_EQ(late.items.size(), 1u);
  EXPECT_EQ(late.items[0].integer, 2);
  EXPECT_EQ(used(counters, running("k", 1)), 0);
}

TEST_F(SharedTest, WhatWasSpentIsTheSumOfWhatEachReplicaTells) {
  const auto with = client();
  auto as = timed();
  SharedCounters one(loop, *with, as);
  as.replica = "r2";
  SharedCounters other(loop, *with, as);
  warm(*with, one);
  const auto mine = reserve(one, {month("m", 100, 50)});
  settle(one, *mine, {30});
  EXPECT_EQ(used(one, month("m", 1, 0, 30)), 30);
  // Told again, late, or in the wrong order: nothing changes.
  for (const std::int64_t total : {20, 30, 10}) {
    one.tell(std::vector<SharedNews>{{SharedKind::Period, "m", kEnds, total}});
  }
  EXPECT_EQ(used(other, month("m", 1, 0)), 30);
  other.tell(std::vector<SharedNews>{{SharedKind::Period, "m", kEnds, 25}});
  EXPECT_EQ(used(one, month("m", 1, 0)), 55);
  // What was spent without Redis is counted with the next question, also with one that is refused.
  EXPECT_FALSE(reserve(one, {month("m", 100, 1, 80)})->granted);
  EXPECT_EQ(used(other, month("m", 1, 0)), 105);
  // A period that is over is left alone.
  now = (kEnds + 1) * 1'000'000;
  one.tell(std::vector<SharedNews>{{SharedKind::Period, "late", kEnds, 5}});
  EXPECT_EQ(used(one, month("late", 1, 0)), 0);
}

TEST_F(SharedTest, AServerThatLostItsDataIsToldAllAgain) {
  const auto with = client();
  SharedCounters::Options brief;
  brief.lease = 900ms;
  brief.replica = "r1";
  SharedCounters counters(loop, *with, brief);
  int returns = 0;
  const std::int64_t ends = time(nullptr) + 1000;
  std::vector<SharedNews> totals;
  for (int i = 0; i < 120; ++i) {
    totals.push_back({SharedKind::Period, "m" + std::to_string(i), ends, 10 + i});
  }
  counters.on_return([&] {
    ++returns;
    counters.tell(totals);
  });
  const auto told = [&] {
    SharedAmount last = month("m119", 1, 0);
    last.ends = ends;
    return used(counters, last) == 129;
  };
  EXPECT_TRUE(until([&] { return returns == 1; }));
  EXPECT_TRUE(until([&] { return counters.stats().pending == 0; }));
  EXPECT_TRUE(told());
  EXPECT_EQ(counters.replicas(), 1);
  raw(*with, "return redis.call('FLUSHALL')", {});
  EXPECT_FALSE(told());
  EXPECT_TRUE(until([&] { return returns == 2; }));
  EXPECT_TRUE(until([&] { return counters.stats().pending == 0; }));
  EXPECT_TRUE(told());
}

TEST_F(SharedTest, RequestsThatAreSpread) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  SharedAmount spread = window("k", 60);  // one each second
  spread.burst = 3;
  warm(*with, counters);
  std::vector<SharedVerdict> granted;
  for (int i = 0; i < 3; ++i) granted.push_back(*reserve(counters, {spread}));
  for (const auto& one : granted) EXPECT_TRUE(one.granted);
  const auto fourth = reserve(counters, {spread});
  EXPECT_FALSE(fourth->granted);
  EXPECT_EQ(fourth->standings[0].wait_ms, 1000);
  settle(counters, granted[0], {0});  // its place comes back
  EXPECT_TRUE(reserve(counters, {spread})->granted);
  EXPECT_FALSE(reserve(counters, {spread})->granted);
  now += 999'000;
  EXPECT_FALSE(reserve(counters, {spread})->granted);
  now += 1'000;
  EXPECT_TRUE(reserve(counters, {spread})->granted);
}

TEST_F(SharedTest, WhatWasTakenWithoutAskingCounts) {
  const auto with = client();
  SharedCounters counters(loop, *with, timed());
  warm(*with, counters);
  settle(counters, *reserve(counters, {running("c", 1)}), {0});
  SharedAmount one = window("k", 10);
  one.owed = 10;
  EXPECT_FALSE(reserve(counters, {one})->granted);
  EXPECT_EQ(used(counters, window("k", 1)), 10);
  counters.tell(std::vector<SharedNews>{{SharedKind::Window, "k", 60'000, 7}});
  EXPECT_EQ(used(counters, window("k", 1)), 17);
  now += 62'000'000;
  EXPECT_EQ(used(counters, window("k", 1)), 0);
}

TEST_F(SharedTest, WhatWasTakenWithoutAskingCountsOnceThoughNobodySaysThatItWasHeard) {
  const auto with = client(200ms), patient = client();
  SharedCounters counters(loop, *with, SharedCounters::Options());
  SharedCounters other(loop, *patient, SharedCounters::Options());
  warm(*patient, other);
  warm(*with, counters);
  settle(counters, *reserve(counters, {running("c", 1)}), {0});
  SharedAmount granted = window("granted", 100), refused = window("refused", 2);
  granted.owed = 5;
  refused.owed = 3;
  const auto all_said = [&] {
    return with->answers() && counters.stats().pending == 0 && with->stats().outstanding == 0;
  };
  ASSERT_TRUE(until(all_said));
  for (int i = 1; i <= 3; ++i) {
    server.pause();
    EXPECT_FALSE(reserve(counters, {granted}));
    EXPECT_FALSE(reserve(counters, {refused}));
    counters.tell(std::vector<SharedNews>{{SharedKind::Window, "told", 60'000, 7}});
    EXPECT_TRUE(until([&] { return counters.stats().pending == 3; }));
    server.go_on();
    ASSERT_TRUE(until(all_said));
    EXPECT_EQ(used(other, window("granted", 1)), 0) << "is told with the next call";
    EXPECT_EQ(used(other, window("refused", 1)), 0);
    EXPECT_EQ(used(other, window("told", 1)), 7 * i);
  }
  settle(counters, *reserve(counters, {granted}), {1});
  EXPECT_EQ(used(counters, window("granted", 1)), 6);
}

}  // namespace
}  // namespace causeway::limits
