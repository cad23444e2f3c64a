#include "engine/backoff.h"

#include <gtest/gtest.h>

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheCap) {
  Backoff backoff({.first = 500ms, .longest = 3s}, [] { return 0.5; });
  EXPECT_EQ(backoff.next(0ms), 500ms);
  EXPECT_EQ(backoff.next(0ms), 1000ms);
  EXPECT_EQ(backoff.next(0ms), 2000ms);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(backoff.next(0ms), 3000ms);
}

TEST(Backoff, SpreadsBothWaysAndNeverPassesTheCap) {
  Backoff low({.first = 1000ms, .longest = 60s, .jitter = 0.2}, [] { return 0.0; });
  Backoff high({.first = 1000ms, .longest = 1100ms, .jitter = 0.2}, [] { return 0.999; });
  EXPECT_EQ(low.next(0ms), 800ms);
  EXPECT_EQ(high.next(0ms), 1100ms);
}

TEST(Backoff, IsForgottenAfterAStableRun) {
  Backoff backoff({.first = 500ms, .stable_after = 60s}, [] { return 0.5; });
  backoff.next(0ms);
  backoff.next(10s);
  EXPECT_EQ(backoff.next(59s), 2000ms) << "not stable long enough";
  EXPECT_EQ(backoff.next(60s), 500ms);
  EXPECT_EQ(backoff.failures(), 1u);
}

}  // namespace
}  // namespace causeway::engine
