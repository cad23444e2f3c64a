#include "features/traffic/routing/quota.h"

#include <gtest/gtest.h>

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
