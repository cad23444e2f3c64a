#include "core/retry_after.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway {
namespace {

using namespace std::chrono_literals;

constexpr http::Field kNow{"date", "Thu, 26 Nov 2026 23:59:30 GMT"};

std::optional<std::chrono::milliseconds> until(std::vector<http::Field> fields) {
  fields.push_back(kNow);
  return until_rate_limit_reset(fields);
}

TEST(RetryAfter, SecondsAndMilliseconds) {
  const auto wait = [](std::string_view name, std::string_view value) {
    const http::Field fields[] = {{name, value}};
    return retry_after(fields);
  };
  EXPECT_EQ(wait("retry-after", "7"), 7s);
  EXPECT_EQ(wait("retry-after-ms", "1500"), 1500ms);
  EXPECT_EQ(wait("retry-after", "999999"), 1h);
  EXPECT_EQ(wait("retry-after", "-1"), std::nullopt);
  EXPECT_EQ(wait("retry-after", "Thu, 26 Nov 2099 23:59:30 GMT"), 1h);
  EXPECT_EQ(wait("retry-after", "Thu, 26 Nov 2020 23:59:30 GMT"), 0s) << "it is over";
  EXPECT_EQ(wait("retry-after", "Thu, 26 Now 2026 23:59:30 GMT"), std::nullopt);
  const http::Field fields[] = {{"retry-after", "Fri, 27 Nov 2026 00:00:10 GMT"}, kNow};
  EXPECT_EQ(retry_after(fields), 40s);
  EXPECT_EQ(wait("anthropic-ratelimit-requests-reset", "2026-11-27T00:00:00Z"), std::nullopt);
}

TEST(RateLimitReset, SpansAsOpenAiWritesThem) {
  EXPECT_EQ(duration_of("6m0s"), 6min);
  EXPECT_EQ(duration_of("1.5s"), 1500ms);
  EXPECT_EQ(duration_of("20ms"), 20ms);
  EXPECT_EQ(duration_of("59m59.999s"), 3'599'999ms);
  EXPECT_EQ(duration_of("3d"), 1h) << "bounded";
  EXPECT_EQ(duration_of("7"), 7s);
  for (const char* wrong : {"", "s", "1x", "1s-", "soon", "..s"}) {
    EXPECT_EQ(duration_of(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(until({{"x-ratelimit-reset-requests", "1s"}, {"x-ratelimit-reset-tokens", "6m0s"}}),
            6min);
  EXPECT_EQ(until({{"x-ratelimit-reset-requests", "1s"},
                   {"x-ratelimit-remaining-requests", "0"},
                   {"x-ratelimit-reset-tokens", "6m0s"}}),
            1s);
}

TEST(RateLimitReset, TimesInEveryForm) {
  const auto wait = [](std::string_view time) {
    return until({{"anthropic-ratelimit-requests-reset", time}});
  };
  EXPECT_EQ(wait("2026-11-27T00:00:00Z"), 30s);
  EXPECT_EQ(wait("2026-11-27T00:00:00.25Z"), 31s);
  EXPECT_EQ(wait("2026-11-27T01:00:00+01:00"), 30s);
  EXPECT_EQ(wait("2026-11-26T19:00:00-05:00"), 30s);
  EXPECT_EQ(wait("2026-11-26T23:00:00Z"), 0s) << "long past";
  EXPECT_EQ(wait("2027-11-26T23:00:00Z"), 1h) << "bounded";
  for (const char* bad : {"", "soon", "60", "2026-11-27T00:00:00", "2026-13-27T00:00:00Z",
                          "2026-11-27T25:00:00Z", "2026-11-27T00:00:00+1"}) {
    EXPECT_EQ(wait(bad), std::nullopt) << bad;
  }
}

TEST(RateLimitReset, TheLimitThatIsExhaustedCounts) {
  EXPECT_EQ(until({{"anthropic-ratelimit-requests-remaining", "12"},
                   {"anthropic-ratelimit-requests-reset", "2026-11-27T00:00:30Z"},
                   {"anthropic-ratelimit-input-tokens-remaining", "0"},
                   {"anthropic-ratelimit-input-tokens-reset", "2026-11-26T23:59:40Z"}}),
            10s);
  EXPECT_EQ(until({{"anthropic-ratelimit-requests-remaining", "12"},
                   {"anthropic-ratelimit-requests-reset", "2026-11-27T00:00:30Z"},
                   {"anthropic-ratelimit-tokens-reset", "2026-11-26T23:59:40Z"}}),
            60s)
      << "where none is, the latest";
  EXPECT_EQ(until({}), std::nullopt);
}

TEST(RateLimitReset, WithoutADateOurClockCounts) {
  const http::Field fields[] = {{"anthropic-ratelimit-tokens-reset", "2001-01-01T00:00:00Z"}};
  EXPECT_EQ(until_rate_limit_reset(fields), 0s);
}

}  // namespace
}  // namespace causeway
