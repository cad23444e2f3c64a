#include <gtest/gtest.h>

#include "platform/net/detail/pulse.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

TEST(Pulse, IsNotLateBeforeItBegins) {
  const Pulse pulse;
  EXPECT_EQ(pulse.at(Monotonic(1h)).pulses, 0u);
}

TEST(Pulse, CountsWhatCameInTime) {
  Pulse pulse;
  Monotonic due = pulse.begin(Monotonic(1s));
  EXPECT_EQ(due, Monotonic(1s + 100ms));
  for (int i = 0; i < 10; ++i) due = pulse.come(due + 1ms);
  EXPECT_EQ(due, Monotonic(2s + 100ms)) << "a delay does not move the next";
  EXPECT_EQ(pulse.at(due).pulses, 10u);
  EXPECT_EQ(pulse.at(due).sum, 10ms);
}

TEST(Pulse, OneThatIsLateCountsWithThoseBehindIt) {
  Pulse pulse;
  const Monotonic due = pulse.begin(Monotonic(0s));
  EXPECT_EQ(pulse.come(due + 250ms), due + 300ms);
  EXPECT_EQ(pulse.at(due).pulses, 3u);
  EXPECT_EQ(pulse.at(due).sum, 250ms + 150ms + 50ms);
}

// A minute with one stop of ten seconds: who came then waited five, a sixth of all.
TEST(Pulse, TheMeanIsWhatAnybodyWaits) {
  Pulse pulse;
  Monotonic due = pulse.begin(Monotonic(0s));
  while (due < Monotonic(50s)) due = pulse.come(due);
  due = pulse.come(due + 10s);
  const auto late = pulse.at(due);
  EXPECT_NEAR(static_cast<double>(late.pulses), 600, 2);
  EXPECT_NEAR(static_cast<double>(late.sum.count()) / 1e6 / static_cast<double>(late.pulses),
              10.0 * 5 / 60, 0.02);
}

TEST(Pulse, IsSeenWhileItIsLateAndTheSameAfterwards) {
  Pulse pulse;
  const Monotonic due = pulse.begin(Monotonic(0s));
  const auto before = pulse.at(due + 5s);
  EXPECT_EQ(before.pulses, 51u);
  pulse.come(due + 5s - 20ms);  // whose clock was read before
  EXPECT_EQ(pulse.at(due + 5s).pulses, before.pulses);
  EXPECT_EQ(pulse.at(due + 5s).sum, before.sum);
}

}  // namespace
}  // namespace causeway::net
