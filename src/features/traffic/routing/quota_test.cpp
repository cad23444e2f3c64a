#include "features/traffic/routing/quota.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace causeway::routing {
namespace {

using namespace std::chrono_literals;

struct QuotaTest : testing::Test {
  // How many of `asked` requests go now.
  int go(int asked, Priority priority = Priority::Normal, std::uint64_t tokens = 0) {
    int gone = 0;
    for (int i = 0; i < asked; ++i) gone += !quota.take(limits, tokens, priority, now);
    return gone;
  }
  Quota quota;
  QuotaLimits limits;
  Monotonic now{1h};
};

TEST_F(QuotaTest, WithoutLimitsAllGo) { EXPECT_EQ(go(10'000), 10'000); }

TEST_F(QuotaTest, TenSecondsAtOnceThenAsManyAsTimePasses) {
  limits.requests_per_minute = 600;
  EXPECT_EQ(go(1000, Priority::High), 100);
  const auto wait = quota.take(limits, 0, Priority::High, now);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, 100ms);
  int gone = 0;
  for (int i = 0; i < 600; ++i) {
    now += 100ms;
    gone += go(5, Priority::High);
  }
  EXPECT_NEAR(gone, 600, 1);
}

TEST_F(QuotaTest, TokensAreTakenByEstimateAndSettled) {
  limits.tokens_per_minute = 6000;
  EXPECT_EQ(go(100, Priority::High, 100), 10);
  for (int i = 0; i < 10; ++i) quota.settle(limits, 100, 10);
  EXPECT_EQ(go(100, Priority::High, 100), 9);
  // More than the bucket holds goes when that is full, and is owed.
  now += 1min;
  EXPECT_FALSE(quota.take(limits, 5000, Priority::High, now));
  const auto wait = quota.take(limits, 1, Priority::High, now);
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, 30s);
}

TEST_F(QuotaTest, TheLowerLeaveAPartToTheHigher) {
  limits.requests_per_minute = 600;
  EXPECT_EQ(go(1000, Priority::Low), 70);
  EXPECT_EQ(go(1000, Priority::Normal), 20);
  EXPECT_EQ(go(1000, Priority::High), 10);
}

TEST_F(QuotaTest, OneAMinuteGoesWhateverItsPriority) {
  limits.requests_per_minute = 1;
  EXPECT_EQ(go(3, Priority::Low), 1);
  now += 1min;
  EXPECT_EQ(go(3, Priority::Low), 1);
}

TEST_F(QuotaTest, WhatIsOwedIsAMinutesAtMost) {
  limits.tokens_per_minute = 6000;
  quota.take(limits, 100, Priority::High, now);
  quota.settle(limits, 100, 4'000'000'000);
  now += 61s;
  EXPECT_FALSE(quota.take(limits, 10, Priority::High, now));
}

struct LineTest : QuotaTest {
  LineTest() { limits.requests_per_minute = 600; }
  Quota::Entered enter(char name, Priority priority, std::string_view tenant = "t",
                       std::chrono::milliseconds patience = 10s, std::uint64_t tokens = 0) {
    return quota.enter({limits, tokens, priority}, tenant, patience, now, [&]() -> Quota::Wake {
      return
          [this, name](queue::End how) { (how == queue::End::Admitted ? went : gave_way) += name; };
    });
  }
  // So much time passes, and somebody looks.
  void pass(std::chrono::milliseconds time) {
    now += time;
    quota.wake(now);
  }
  using Result = Quota::Entered::Result;
  std::string went, gave_way;
};

TEST_F(LineTest, WokenByPriorityThenAsTheyCame) {
  EXPECT_EQ(go(1000, Priority::High), 100);
  EXPECT_EQ(enter('l', Priority::Low).result, Result::Waits);
  EXPECT_EQ(enter('a', Priority::Normal).result, Result::Waits);
  EXPECT_EQ(enter('b', Priority::Normal).result, Result::Waits);
  EXPECT_EQ(enter('h', Priority::High).result, Result::Waits);
  pass(100ms);
  EXPECT_EQ(went, "h");
  EXPECT_EQ(go(1, Priority::High), 0) << "nothing is left";
  pass(1s);  // a tenth of the bucket is left to those above
  EXPECT_EQ(went, "h");
  pass(100ms);
  EXPECT_EQ(went, "ha");
  EXPECT_EQ(go(1, Priority::Normal), 0) << "others wait with this priority";
  EXPECT_EQ(go(1, Priority::High), 1);
  pass(200ms);
  EXPECT_EQ(went, "hab");
  pass(2s);  // the last leaves three tenths
  EXPECT_EQ(went, "hab");
  pass(100ms);
  EXPECT_EQ(went, "habl");
  EXPECT_EQ(quota.waiting(), 0u);
}

TEST_F(LineTest, AFloodOfOneTenantWaitsBehindItself) {
  go(1000, Priority::High);
  for (int i = 0; i < 20; ++i) enter('a', Priority::High, "flood");
  for (int i = 0; i < 3; ++i) enter('b', Priority::High, "calm");
  pass(700ms);
  EXPECT_EQ(std::ranges::count(went, 'b'), 3) << went;
}

TEST_F(LineTest, WhoseTurnWouldComeTooLateDoesNotWait) {
  go(1000, Priority::High);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(enter('a', Priority::High).result, Result::Waits);
  const auto late = enter('b', Priority::High, "t", 1s);
  EXPECT_EQ(late.result, Result::TooLong);
  EXPECT_EQ(late.expected, 1100ms);
  EXPECT_EQ(enter('b', Priority::High, "t", 2s).result, Result::Waits);
}

TEST_F(LineTest, AFullOneHasAnAnswer) {
  limits.requests_per_minute = 60'000;
  go(10'000, Priority::High);
  for (std::size_t i = 0; i < Quota::kMostWaiting; ++i) {
    ASSERT_EQ(enter('a', Priority::Normal, "a").result, Result::Waits);
  }
  EXPECT_EQ(enter('a', Priority::Normal, "a").result, Result::Full);
  EXPECT_EQ(enter('l', Priority::Low, "b").result, Result::Full);
  EXPECT_EQ(enter('h', Priority::High, "b").result, Result::Waits);
  EXPECT_EQ(gave_way, "a");
  EXPECT_EQ(quota.waiting(), Quota::kMostWaiting);
}

TEST_F(LineTest, WhoLeavesAndWhatIsGivenBackLetsOthersGo) {
  limits = {0, 6000};
  EXPECT_EQ(go(100, Priority::High, 100), 10);
  const auto large = enter('L', Priority::High, "t", 1min, 1000);
  ASSERT_EQ(large.result, Result::Waits);
  ASSERT_EQ(enter('s', Priority::High, "t", 1min, 10).result, Result::Waits);
  pass(1s);
  EXPECT_EQ(went, "") << "a small one does not overtake: the large one would never go";
  quota.give_up(large.place, now);
  EXPECT_EQ(went, "s");
  ASSERT_EQ(enter('m', Priority::High, "t", 1min, 500).result, Result::Waits);
  quota.give_back({limits, 500, Priority::High}, now);
  EXPECT_EQ(went, "sm");
  quota.give_up(large.place, now);  // again: nothing
}

TEST(UntilLeft, OnlyWhatIsUsedUp) {
  const auto wait = [](std::vector<http::Field> fields) { return until_left(fields); };
  EXPECT_FALSE(
      wait({{"x-ratelimit-remaining-requests", "1"}, {"x-ratelimit-reset-requests", "5s"}}));
  EXPECT_FALSE(wait({{"x-ratelimit-remaining-requests", "0"}}));
  EXPECT_FALSE(wait({{"content-length", "0"}}));
  EXPECT_EQ(wait({{"x-ratelimit-remaining-requests", "0"},
                  {"x-ratelimit-reset-requests", "10.5s"},
                  {"x-ratelimit-remaining-tokens", "0"},
                  {"x-ratelimit-reset-tokens", "20ms"}}),
            10'500ms);
  EXPECT_EQ(wait({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "59m"}}),
            1min);
  EXPECT_EQ(wait({{"date", "Thu, 26 Nov 2026 23:59:30 GMT"},
                  {"anthropic-ratelimit-tokens-remaining", "0"},
                  {"anthropic-ratelimit-tokens-reset", "2026-11-27T00:00:00Z"}}),
            30s);
}

}  // namespace
}  // namespace causeway::routing
