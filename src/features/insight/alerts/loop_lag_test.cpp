#include "features/insight/alerts/loop_lag.h"

#include <gtest/gtest.h>

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;
using Lateness = net::Loop::Lateness;

struct Running {
  LoopLag lag;
  Monotonic now{};
  std::vector<Lateness> loops{2};

  /// So many steps of 2 s; the second loop is `late`.
  std::optional<double> run(int steps, std::chrono::milliseconds late) {
    std::optional<double> last;
    for (int i = 0; i < steps; ++i) {
      now += 2s;
      for (Lateness& loop : loops) loop.pulses += 20;
      loops[1].sum += 20 * late;
      last = lag.look(now, loops, 60s);
    }
    return last;
  }
};

TEST(LoopLag, IsTheMeanOfTheWindowOfTheLatestLoop) {
  Running running;
  EXPECT_NEAR(running.run(100, 2ms).value(), 2'000, 1);
  EXPECT_NEAR(running.run(15, 200ms).value(), 101'000, 1) << "half of the window";
  EXPECT_NEAR(running.run(30, 200ms).value(), 200'000, 1);
  EXPECT_NEAR(running.run(30, 2ms).value(), 2'000, 1) << "what was before is forgotten";
}

TEST(LoopLag, OfTooLittleItSaysNothing) {
  LoopLag lag;
  EXPECT_FALSE(lag.look(Monotonic(1s), {{0, 0us}}, 60s));
  EXPECT_FALSE(lag.look(Monotonic(2s), {{7, 30s}}, 60s));
  EXPECT_TRUE(lag.look(Monotonic(3s), {{8, 30s}}, 60s));
}

TEST(LoopLag, IsACause) {
  const Cause cause = cause_of_lag(119'000);
  EXPECT_EQ(cause.kind, "process");
  EXPECT_NE(cause.text.find("119 ms"), std::string::npos) << cause.text;
}

}  // namespace
}  // namespace causeway::alerts
