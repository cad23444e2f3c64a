#include "features/traffic/routing/order.h"

#include <gtest/gtest.h>

#include <map>

namespace causeway::routing {
namespace {

using namespace std::chrono_literals;

struct OrderTest : testing::Test {
  Target& add(const std::string& name, double weight = 1, const std::string& member = {}) {
    Target target = make_target(name, nullptr, name, weight, member);
    const bool same = !targets.empty() && targets.back().name == name;
    target.place = static_cast<std::uint16_t>(targets.empty() ? 0 : targets.back().place + !same);
    return targets.emplace_back(target);
  }
  TargetState& state(std::size_t index) { return *states.of(targets[index]); }
  // One answer that took so long.
  void answered(std::size_t index, std::chrono::nanoseconds time) {
    state(index).answered_after(time, clock.now());
  }
  std::string order(Strategy strategy) {
    asking.now = clock.now();
    std::vector<const Target*> found;
    order_targets(targets, strategy, asking, states, found);
    std::string names;
    for (const Target* target : found) names += target->name + target->member;
    return names;
  }

  ManualClock clock;
  TargetStates all{clock};
  LoopStates states{all};
  std::vector<Target> targets;
  Asking asking;
};

TEST_F(OrderTest, FallbackKeepsTheListedOrder) {
  add("a");
  add("b", 5);
  add("c", 3);
  EXPECT_EQ(order(Strategy::Fallback), "abc");
}

TEST_F(OrderTest, WeightedDrawsTheFirstByItsShareAndKeepsTheOthersAsFallbacks) {
  add("a", 1);
  add("b", 3);
  add("c", 0);
  std::map<char, int> first;
  constexpr int kDraws = 20'000;
  for (asking.draw = 0; asking.draw < kDraws; ++asking.draw) {
    const auto names = order(Strategy::Weighted);
    ASSERT_EQ(names.size(), 3u);
    ++first[names[0]];
  }
  EXPECT_EQ(first['c'], 0);
  EXPECT_NEAR(first['b'], kDraws * 0.75, kDraws * 0.02);
  EXPECT_NEAR(first['a'], kDraws * 0.25, kDraws * 0.02);
}

TEST_F(OrderTest, TheLessBusyOfTwoComesFirst) {
  add("a");
  add("b");
  answered(0, 100ms);
  answered(1, 100ms);
  state(0).began(clock.now());
  for (asking.draw = 0; asking.draw < 20; ++asking.draw) {
    EXPECT_EQ(order(Strategy::LeastBusy), "ba");
  }
  // Ten times slower weighs more than one call under way.
  answered(1, 1s);
  for (int i = 0; i < 100; ++i) answered(1, 1s);
  EXPECT_EQ(order(Strategy::LeastBusy), "ab");
}

TEST_F(OrderTest, OfManyNoTwoChoicesAreTheSameAndAllGetTheirShare) {
  for (const char* name : {"a", "b", "c", "d"}) add(name);
  for (std::size_t i = 0; i < 4; ++i) answered(i, 50ms);
  std::map<char, int> first;
  for (asking.draw = 0; asking.draw < 8000; ++asking.draw) ++first[order(Strategy::LeastBusy)[0]];
  for (const auto& [name, count] : first) EXPECT_NEAR(count, 2000, 200) << name;
}

TEST_F(OrderTest, TheFastestComesFirstAndTheOthersAreAskedAgainAfterLongSilence) {
  add("a");
  add("b");
  answered(0, 400ms);
  answered(1, 100ms);
  EXPECT_EQ(order(Strategy::Fastest), "ba");
  // b goes on answering, a is silent: after a while it seems as fast, and is asked once.
  for (int i = 0; i < 40; ++i) {
    clock.advance(1s);
    answered(1, 100ms);
  }
  EXPECT_EQ(order(Strategy::Fastest), "ab");
  state(0).began(clock.now());
  EXPECT_EQ(order(Strategy::Fastest), "ba");
}

TEST_F(OrderTest, TheFastestIsNoLongerWhereAllCallsGoToIt) {
  add("a");
  add("b");
  answered(0, 400ms);
  answered(1, 100ms);
  for (int calls = 0; calls < 7; ++calls) {
    EXPECT_EQ(order(Strategy::Fastest), "ba") << calls;
    state(1).began(clock.now());
  }
  EXPECT_EQ(order(Strategy::Fastest), "ab") << "its line is longer than it is used to";
  // One that was slow because of a long line is asked at once when that is gone.
  for (int i = 0; i < 100; ++i) answered(1, 2s);
  for (int calls = 0; calls < 7; ++calls) state(1).ended();
  EXPECT_EQ(order(Strategy::Fastest), "ba");
}

TEST_F(OrderTest, TheCheapestForThisRequestComesFirstAndUnknownPricesLast) {
  add("a");
  Target& dear_to_read = add("b");
  dear_to_read.input_price = 10;
  dear_to_read.output_price = 1;
  Target& dear_to_write = add("c");
  dear_to_write.input_price = 1;
  dear_to_write.output_price = 10;
  asking.input_tokens = 1000;
  asking.output_tokens = 10;
  EXPECT_EQ(order(Strategy::Cheapest), "cba");
  asking.output_tokens = 5000;
  EXPECT_EQ(order(Strategy::Cheapest), "bca");
}

TEST_F(OrderTest, AUserStaysWithATargetAndOnlyThoseOfOneThatGoesMove) {
  for (const char* name : {"a", "b", "c", "d"}) add(name);
  std::map<std::uint64_t, char> before;
  std::map<char, int> share;
  for (asking.who = 1; asking.who <= 4000; ++asking.who) {
    before[asking.who] = order(Strategy::Sticky)[0];
    ++share[before[asking.who]];
  }
  for (const auto& [name, count] : share) EXPECT_NEAR(count, 1000, 130) << name;
  targets.erase(targets.begin() + 1);
  for (asking.who = 1; asking.who <= 4000; ++asking.who) {
    const char now = order(Strategy::Sticky)[0];
    if (before[asking.who] != 'b') EXPECT_EQ(now, before[asking.who]);
  }
}

TEST_F(OrderTest, PromptsThatBeginAlikeGoToOneReplicaUntilItHasMoreThanItsShare) {
  for (const char* member : {"1", "2", "3", "4"}) {
    add("r", 1, member).balance = Strategy::Prefix;
  }
  asking.begins = 77;
  const auto first = order(Strategy::Fallback);
  EXPECT_EQ(order(Strategy::Fallback), first);
  std::size_t home = 0;
  while (targets[home].member[0] != first[1]) ++home;
  state(home).began(clock.now());
  state(home).began(clock.now());
  const auto moved = order(Strategy::Fallback);
  EXPECT_NE(moved[1], first[1]);
  EXPECT_EQ(moved[1], first[3]) << "the next in the prompt's own order";
}

TEST_F(OrderTest, MembersOfAPlaceStandTogether) {
  add("a", 1, "1");
  add("a", 1, "2");
  add("b");
  for (std::size_t i = 0; i < 3; ++i) answered(i, 10ms);
  state(0).began(clock.now());
  EXPECT_EQ(order(Strategy::Fallback), "a2a1b");
}

TEST_F(OrderTest, WhatRestsOrCannotDoItStandsBehind) {
  add("a");
  add("b").context = 100;
  add("c").without = kNeedsVision;
  add("d");
  asking.input_tokens = 200;
  asking.needs = kNeedsVision;
  EXPECT_EQ(order(Strategy::Fallback), "adbc");
  state(0).breaker().limited(false, clock.now(), Error(), 5s);
  EXPECT_EQ(order(Strategy::Fallback), "dbca");
  clock.advance(6s);
  EXPECT_EQ(order(Strategy::Fallback), "adbc");
}

}  // namespace
}  // namespace causeway::routing
