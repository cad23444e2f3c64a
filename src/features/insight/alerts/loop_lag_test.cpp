#include "features/insight/alerts/loop_lag.h"

#include <gtest/gtest.h>

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

struct Running {
  LoopLag lag;
  Monotonic now{};
  Lateness total;

  /// So many steps of 2 s, in each of which eight calls are `late`.
  std::optional<Event> run(int steps, std::chrono::milliseconds late) {
    std::optional<Event> last;
    for (int i = 0; i < steps; ++i) {
      now += 2s;
      total.calls += 8;
      total.sum += 8 * late;
      last = lag.look(now, total, 60s);
    }
    return last;
  }
};

TEST(LoopLag, IsTheMeanOfTheWindow) {
  Running running;
  EXPECT_FALSE(running.run(100, 2ms));
  EXPECT_FALSE(running.run(5, 200ms)) << "a sixth of the window";
  const auto half = running.run(10, 200ms);
  ASSERT_TRUE(half);
  EXPECT_NEAR(half->value, 101'000, 1'000);
  const auto all = running.run(30, 200ms);
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->value, 200'000, 1);
  EXPECT_NE(all->text.find("200 ms"), std::string::npos) << all->text;
  EXPECT_EQ(all->cause.kind, "process");
  EXPECT_FALSE(running.run(30, 2ms)) << "what was before the window is forgotten";
}

TEST(LoopLag, OfTooFewCallsItSaysNothing) {
  LoopLag lag;
  EXPECT_FALSE(lag.look(Monotonic(1s), {0, 0us}, 60s));
  EXPECT_FALSE(lag.look(Monotonic(2s), {3, 30s}, 60s));
  EXPECT_TRUE(lag.look(Monotonic(3s), {4, 30s}, 60s));
}

}  // namespace
}  // namespace causeway::alerts
