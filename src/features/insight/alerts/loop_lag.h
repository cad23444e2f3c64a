// How late the loops that serve applications were of late. Times of providers seem longer by it:
// what has come from one lies there until its loop looks.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "features/insight/alerts/causes.h"
#include "platform/base/clock.h"
#include "platform/net/loop.h"

namespace causeway::alerts {

class LoopLag {
 public:
  /// How late the latest of the loops was in the mean of the last `window`, in µs; nothing where
  /// that is less than a second yet.
  std::optional<double> look(Monotonic now, std::vector<net::Loop::Lateness> loops,
                             std::chrono::milliseconds window);

 private:
  struct Mark {
    Monotonic at;
    std::vector<net::Loop::Lateness> loops;
  };
  std::deque<Mark> marks_;  // the first is as old as the window, or the oldest
};

/// In µs: from here on it is named in alerts of times.
inline constexpr double kLagWorthAWord = 50'000;
Cause cause_of_lag(double micros);

}  // namespace causeway::alerts
