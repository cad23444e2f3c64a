#include "features/traffic/routing/breaker.h"

#include <gtest/gtest.h>

#include "features/traffic/routing/loop_states.h"
#include "features/traffic/routing/target_states.h"

namespace causeway::routing {
namespace {

using namespace std::chrono_literals;

struct BreakerTest : testing::Test {
  void fail_once() {
    const auto admission = breaker.admit(now);
    ASSERT_TRUE(admission.goes);
    breaker.failed(admission.trial, now, "upstream_failed", settings);
  }
  void succeed_once() {
    const auto admission = breaker.admit(now);
    ASSERT_TRUE(admission.goes);
    breaker.succeeded(admission.trial);
  }

  BreakerSettings settings;
  Breaker breaker;
  Monotonic now{std::chrono::hours(1)};
};

TEST_F(BreakerTest, FailuresInARowOpenItAndASuccessBetweenThemDoesNot) {
  for (int i = 0; i < 4; ++i) fail_once();
  succeed_once();
  for (int i = 0; i < 4; ++i) fail_once();
  EXPECT_EQ(breaker.state(), Breaker::State::Closed);
  fail_once();
  EXPECT_EQ(breaker.state(), Breaker::State::Open);
  const auto refused = breaker.admit(now);
  EXPECT_FALSE(refused.goes);
  EXPECT_EQ(refused.wait, 2s);
  EXPECT_FALSE(refused.limit);
  EXPECT_EQ(breaker.why(), "upstream_failed");
}

TEST_F(BreakerTest, HalfOfManyCallsFailingOpensIt) {
  for (int i = 0; i < 20 && breaker.state() == Breaker::State::Closed; ++i) {
    fail_once();
    if (breaker.state() == Breaker::State::Closed) succeed_once();
  }
  EXPECT_EQ(breaker.state(), Breaker::State::Open);
  EXPECT_GE(breaker.calls(), 20u);
}

TEST_F(BreakerTest, AfterItsRestAFewMayTryAndTwiceAsManyWithEachSuccess) {
  for (int i = 0; i < 5; ++i) fail_once();
  now += 2s;
  EXPECT_TRUE(breaker.admits(now));
  auto first = breaker.admit(now);
  EXPECT_TRUE(first.goes && first.trial);
  EXPECT_FALSE(breaker.admit(now).goes) << "one at a time";
  breaker.succeeded(first.trial);
  EXPECT_EQ(breaker.state(), Breaker::State::Trying);
  auto second = breaker.admit(now), third = breaker.admit(now);
  EXPECT_TRUE(second.goes && third.goes);
  EXPECT_FALSE(breaker.admit(now).goes);
  breaker.succeeded(true);
  breaker.succeeded(true);
  for (int i = 0; i < 3; ++i) succeed_once();
  EXPECT_EQ(breaker.state(), Breaker::State::Closed);
}

TEST_F(BreakerTest, ATrialThatBeginsWellAndBreaksOffIsARelapse) {
  for (int i = 0; i < 5; ++i) fail_once();
  for (const auto rest : {2s, 4s, 8s}) {
    EXPECT_EQ(breaker.rest_left(now), rest);
    now += rest;
    const auto admission = breaker.admit(now);
    ASSERT_TRUE(admission.trial);
    breaker.answering(true);
    breaker.broke_off(now, "upstream_cut", settings);
    EXPECT_EQ(breaker.state(), Breaker::State::Open);
  }
}

TEST_F(BreakerTest, ARelapseDoublesTheRestUpToTheLongest) {
  settings.longest_rest = 5s;
  for (int i = 0; i < 5; ++i) fail_once();
  for (const auto rest : {2s, 4s, 5s, 5s}) {
    EXPECT_EQ(breaker.rest_left(now), rest);
    now += rest;
    fail_once();
  }
}

TEST_F(BreakerTest, ATrialThatSaysNothingGivesItsPlaceBack) {
  for (int i = 0; i < 5; ++i) fail_once();
  now += 2s;
  for (int i = 0; i < 10; ++i) {
    const auto admission = breaker.admit(now);
    ASSERT_TRUE(admission.goes);
    breaker.undecided(admission.trial);
  }
}

TEST_F(BreakerTest, WhoAsksToBeLeftAloneIsAtOnce) {
  const auto admission = breaker.admit(now);
  const Error error = fail(ErrorKind::RateLimited, Origin::Upstream, "slow down", "slow").error();
  breaker.limited(admission.trial, now, error, 7s);
  const auto refused = breaker.admit(now + 1s);
  EXPECT_FALSE(refused.goes);
  ASSERT_TRUE(refused.limit);
  EXPECT_EQ(refused.limit->message, "slow down");
  EXPECT_EQ(breaker.why(), "slow");
  EXPECT_EQ(refused.wait, 6s);
  // A shorter word does not shorten it.
  breaker.limited(false, now, error, 1s);
  EXPECT_FALSE(breaker.admits(now + 6s));
  EXPECT_TRUE(breaker.admits(now + 7s));
}

TEST_F(BreakerTest, OffItStaysClosedWhateverFails) {
  settings.failures = 0;
  for (int i = 0; i < 200; ++i) fail_once();
  EXPECT_EQ(breaker.state(), Breaker::State::Closed);
}

TEST_F(BreakerTest, AProbeOpensItAndLetsItTryAgain) {
  breaker.probed(true, now, settings);
  EXPECT_EQ(breaker.state(), Breaker::State::Closed);
  breaker.probed(false, now, settings);
  now += 1h;
  EXPECT_FALSE(breaker.admits(now)) << "until a probe says otherwise";
  breaker.probed(true, now, settings);
  EXPECT_TRUE(breaker.admit(now).trial);
}

TEST(TargetStates, OneStateForEachMemberAndProbesFindThemByProvider) {
  ManualClock clock;
  TargetStates states(clock);
  const Target a = make_target("gpu/x", nullptr, "x", 1, "h:1");
  const Target b = make_target("gpu/x", nullptr, "x", 1, "h:2");
  const Target other = make_target("gpus/x", nullptr, "x", 1, "h:1");
  EXPECT_EQ(states.of(a), states.of(a));
  EXPECT_NE(states.of(a), states.of(b));
  states.of(other);
  states.probed("gpu", "h:1", false);
  EXPECT_FALSE(states.of(a)->breaker().admits(clock.now()));
  EXPECT_TRUE(states.of(b)->breaker().admits(clock.now()));
  EXPECT_TRUE(states.of(other)->breaker().admits(clock.now()));
  const auto list = states.list();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].member, "h:1");
  EXPECT_EQ(list[0].why, "probe_failed");
}

TEST(TargetStates, OfTooManyTheLastAreNotWatched) {
  ManualClock clock;
  TargetStates states(clock);
  for (std::size_t i = 0; i < TargetStates::kMost; ++i) {
    ASSERT_TRUE(states.of(make_target("p/" + std::to_string(i), nullptr, "")));
  }
  EXPECT_FALSE(states.of(make_target("p/more", nullptr, "")));
}

TEST(TargetStates, NamesThatCallersChooseShareTheirProvidersStateInTheEnd) {
  ManualClock clock;
  TargetStates states(clock);
  LoopStates loop(states);
  const auto chosen = [](int number) {
    Target target = make_target("p/" + std::to_string(number), nullptr, "");
    target.exposed = true;
    return target;
  };
  EXPECT_NE(loop.of(chosen(0)), loop.of(chosen(1)));
  for (int i = 0; i < 10'000; ++i) loop.of(chosen(i));
  EXPECT_EQ(loop.of(chosen(9'998)), loop.of(chosen(9'999)));
  EXPECT_EQ(loop.of(chosen(9'999))->name(), "p/*");
  EXPECT_EQ(states.list().size(), TargetStates::kMostExposed + 1);
  EXPECT_EQ(loop.of(make_target("p/configured", nullptr, ""))->name(), "p/configured");
}

TEST(TargetStates, ForgetsWhatNoConfigurationHasAnyMore) {
  ManualClock clock;
  TargetStates states(clock);
  LoopStates loop(states);
  const Target kept = make_target("p/kept", nullptr, ""), gone = make_target("p/gone", nullptr, "");
  const Target busy = make_target("p/busy", nullptr, "");
  Target chosen = make_target("p/chosen", nullptr, "");
  chosen.exposed = true;
  TargetState* const first = loop.of(kept);
  loop.of(gone)->breaker().probed(false, clock.now(), {});
  TargetState* const under_way = loop.of(busy);
  under_way->began(clock.now());
  loop.of(chosen);
  states.keep({kept.member_key});
  loop.forget_gone();
  ASSERT_EQ(states.list().size(), 3u);
  EXPECT_EQ(loop.of(kept), first) << "how it fares is still known";
  EXPECT_EQ(loop.of(busy), under_way);
  EXPECT_TRUE(loop.of(gone)->breaker().admits(clock.now())) << "it begins anew";
  under_way->ended();
  for (std::size_t round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < TargetStates::kMost - 10; ++i) {
      ASSERT_TRUE(states.of(make_target("p/" + std::to_string(round * 10'000 + i), nullptr, "")));
    }
    states.keep({});
  }
  EXPECT_EQ(states.list().size(), 1u);
}

TEST(TargetState, AnAverageOfWhatCameLately) {
  TargetState state(make_target("a", nullptr, "a"));
  Monotonic now{1h};
  EXPECT_FALSE(state.usual());
  state.answered_after(100ms, now);
  EXPECT_EQ(state.usual(), 100ms);
  state.answered_after(200ms, now += 10s);
  EXPECT_NEAR(static_cast<double>(state.usual()->count()), 163.2e6, 1e6);
}

}  // namespace
}  // namespace causeway::routing
