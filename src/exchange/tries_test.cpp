#include "exchange/tries.h"

#include <gtest/gtest.h>

namespace causeway::exchange {
namespace {

using namespace std::chrono_literals;

struct TriesTest : testing::Test {
  TriesTest() {
    for (const char* name : {"a", "b"}) targets.push_back(make_target(name, nullptr, name));
    for (const Target& target : targets) exchange.targets.push_back(&target);
    exchange.operation = &operation;
  }
  Attempt failed(const Target* target, ErrorKind kind, std::string code = {}, bool sent = true) {
    Attempt attempt;
    attempt.target = target;
    attempt.sent = sent;
    attempt.error = fail(kind, Origin::Upstream, "it failed", std::move(code)).error();
    attempt.error->retryable = true;
    return attempt;
  }
  Tries tries() { return Tries(exchange, settings, budget); }

  SlotLayout layout;
  Exchange exchange{layout};
  Operation operation;
  RetrySettings settings;
  RetryBudget budget;
  std::vector<Target> targets;
  Monotonic now{1h};
};

TEST_F(TriesTest, EachTargetInTurnThenTheSameOnesAgainAfterAPause) {
  auto all = tries();
  EXPECT_EQ(all.first(now), &targets[0]);
  auto next = all.after(failed(&targets[0], ErrorKind::UpstreamFailed), now, 1min);
  EXPECT_EQ(next.target, &targets[1]);
  EXPECT_EQ(next.wait, 0ms);
  next = all.after(failed(&targets[1], ErrorKind::UpstreamFailed), now, 1min);
  ASSERT_TRUE(next.target);
  EXPECT_GE(next.wait, 100ms);
  EXPECT_LE(next.wait, 300ms);
}

TEST_F(TriesTest, WhoWasUnsureIsAskedAgainAtOnceWhereNobodyElseAnswers) {
  targets[1].place = 1;
  auto all = tries();
  EXPECT_EQ(all.first(now), &targets[0]);
  Attempt unsure = failed(&targets[0], ErrorKind::Unavailable, "unsure_answer");
  unsure.end = AttemptEnd::Unsure;
  EXPECT_EQ(all.after(unsure, now, 1min).target, &targets[1]);
  const auto next = all.after(failed(&targets[1], ErrorKind::UpstreamFailed), now, 1min);
  EXPECT_EQ(next.target, &targets[0]);
  EXPECT_EQ(next.wait, 0ms);
}

TEST_F(TriesTest, ReplicasOfWhoWasUnsureAreNotAsked) {
  Target cloud = make_target("c", nullptr, "c");
  cloud.place = 1;
  exchange.targets.push_back(&cloud);
  auto all = tries();
  all.first(now);
  Attempt unsure = failed(&targets[0], ErrorKind::Unavailable, "unsure_answer");
  unsure.end = AttemptEnd::Unsure;
  EXPECT_EQ(all.after(unsure, now, 1min).target, &cloud);
}

TEST_F(TriesTest, NeverBeforeTheTimeThatTheProviderAskedFor) {
  exchange.targets.resize(1);
  auto all = tries();
  all.first(now);
  auto attempt = failed(&targets[0], ErrorKind::RateLimited);
  attempt.error->retry_after = 3s;
  const auto next = all.after(attempt, now, 1min);
  EXPECT_EQ(next.target, &targets[0]);
  EXPECT_GE(next.wait, 3s);
  EXPECT_LE(next.wait, 3300ms);
}

TEST_F(TriesTest, WhoIsHeldBackByAQuotaComesBackAtOnceAndOnce) {
  auto all = tries();
  all.first(now);
  auto held_back = failed(&targets[0], ErrorKind::RateLimited, "upstream_quota", false);
  held_back.error->origin = Origin::Us;
  held_back.error->retry_after = 5s;
  auto next = all.after(held_back, now, 1min);
  EXPECT_EQ(next.target, &targets[1]) << "another one first";
  held_back.target = &targets[1];
  held_back.error->retry_after = 2s;
  next = all.after(held_back, now, 1min);
  EXPECT_EQ(next.target, &targets[1]) << "where its turn comes sooner";
  EXPECT_EQ(next.wait, 0ms) << "it waits there";
  next = all.after(held_back, now, 1min);
  EXPECT_EQ(next.target, &targets[0]);
  held_back.target = &targets[0];
  EXPECT_FALSE(all.after(held_back, now, 1min).target);
}

TEST_F(TriesTest, NoLongerThanTheSettingsOrTheRequestAllow) {
  exchange.targets.resize(1);
  auto attempt = failed(&targets[0], ErrorKind::RateLimited);
  attempt.error->retry_after = 30s;
  auto all = tries();
  all.first(now);
  EXPECT_FALSE(all.after(attempt, now, 1min).target) << "settings: 10 s";
  settings.wait = 1min;
  auto others = tries();
  others.first(now);
  EXPECT_FALSE(others.after(attempt, now, 20s).target) << "20 s are left";
  EXPECT_TRUE(others.after(attempt, now, 1min).target);
}

TEST_F(TriesTest, NoMoreThanTheAttemptsAtOneTarget) {
  exchange.targets.resize(1);
  auto all = tries();
  all.first(now);
  const auto attempt = failed(&targets[0], ErrorKind::UpstreamFailed);
  EXPECT_TRUE(all.after(attempt, now, 1min).target);
  EXPECT_TRUE(all.after(attempt, now, 1min).target);
  EXPECT_FALSE(all.after(attempt, now, 1min).target);
  settings.attempts = 0;
  auto none = tries();
  none.first(now);
  EXPECT_FALSE(none.after(attempt, now, 1min).target);
}

TEST_F(TriesTest, WhereTheTargetMayHaveWorkedOnItOnlyAnotherOneIsAsked) {
  for (const auto& [kind, code] : std::vector<std::pair<ErrorKind, std::string>>{
           {ErrorKind::ConnectFailed, "closed_before_answer"},
           {ErrorKind::ConnectFailed, "stale_connection"},
           {ErrorKind::Timeout, "first_byte_timeout"},
           {ErrorKind::UpstreamBroken, "upstream_broken"}}) {
    const auto attempt = failed(&targets[1], kind, code);
    EXPECT_TRUE(may_try_another(*attempt.error, settings)) << code;
    EXPECT_FALSE(may_ask_again(attempt, settings)) << code;
    auto sure = settings;
    sure.unsure = true;
    EXPECT_TRUE(may_ask_again(attempt, sure)) << code;
  }
  EXPECT_TRUE(
      may_ask_again(failed(&targets[0], ErrorKind::ConnectFailed, "connect_failed"), settings));
  EXPECT_FALSE(may_ask_again(failed(&targets[0], ErrorKind::Timeout, "total_timeout"), settings));
}

TEST_F(TriesTest, APromptThatIsTooLongGoesOnlyToALargerWindow) {
  targets.push_back(make_target("c", nullptr, "c"));
  targets[0].context = 8192;
  targets[1].context = 4096;
  targets[2].context = 128'000;
  exchange.targets = {&targets[0], &targets[1], &targets[2]};
  auto all = tries();
  all.first(now);
  auto attempt = failed(&targets[0], ErrorKind::ContextTooLong);
  attempt.error->retryable = false;
  EXPECT_EQ(all.after(attempt, now, 1min).target, &targets[2]);
  attempt.target = &targets[2];
  EXPECT_FALSE(all.after(attempt, now, 1min).target);
}

TEST_F(TriesTest, RefusedContentGoesOnOnlyWhereThePolicySaysSo) {
  auto attempt = failed(&targets[0], ErrorKind::ContentFiltered);
  attempt.error->retryable = false;
  auto all = tries();
  all.first(now);
  EXPECT_FALSE(all.after(attempt, now, 1min).target);
  settings.content_filtered = true;
  EXPECT_EQ(all.after(attempt, now, 1min).target, &targets[1]);
}

TEST_F(TriesTest, WhatWasPassedOnUnreadIsNotSentTwice) {
  operation.body = BodyKind::Opaque;
  auto all = tries();
  all.first(now);
  EXPECT_FALSE(all.after(failed(&targets[0], ErrorKind::ConnectFailed), now, 1min).target);
  auto unsent = failed(&targets[0], ErrorKind::Unavailable, "target_resting", false);
  EXPECT_EQ(all.after(unsent, now, 1min).target, &targets[1]);
}

TEST_F(TriesTest, OfAThousandRequestsThatFailNoMoreThanAFifthAreSentAgain) {
  exchange.targets.resize(1);
  int again = 0;
  for (int i = 0; i < 1000; ++i) {
    auto all = tries();
    all.first(now);
    const auto attempt = failed(&targets[0], ErrorKind::UpstreamFailed);
    while (all.after(attempt, now, 1min).target) ++again;
    now += 10ms;
  }
  EXPECT_LE(again, 204);
  EXPECT_GE(again, 195);
}

TEST_F(TriesTest, WhoSaidWhenToComeBackIsNotCounted) {
  exchange.targets.resize(1);
  auto attempt = failed(&targets[0], ErrorKind::RateLimited);
  attempt.error->retry_after = 1s;
  for (int i = 0; i < 100; ++i) {
    auto all = tries();
    all.first(now);
    EXPECT_TRUE(all.after(attempt, now, 1min).target);
  }
}

TEST(RetryBudget, FillsByItselfToItsReserve) {
  RetryBudget budget;
  Monotonic now{1h};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(1, now));
  EXPECT_FALSE(budget.take(1, now));
  EXPECT_TRUE(budget.take(2, now)) << "each target has its own";
  now += 10s;
  EXPECT_TRUE(budget.take(1, now));
  EXPECT_FALSE(budget.take(1, now));
  now += 24h;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(1, now));
  EXPECT_FALSE(budget.take(1, now));
}

}  // namespace
}  // namespace causeway::exchange
