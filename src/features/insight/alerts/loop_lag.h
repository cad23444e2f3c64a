// How late the loops that serve applications were of late. Times of providers seem longer by it:
// what has come from one lies there until its loop looks.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "features/insight/alerts/board.h"

namespace causeway::alerts {

/// Since the start, of what loops do at set times.
struct Lateness {
  std::uint64_t calls = 0;
  std::chrono::microseconds sum{0};
};

class LoopLag {
 public:
  /// What there is to say of the last `window`, if the loops were late by 50 ms in the mean.
  std::optional<Event> look(Monotonic now, const Lateness& total, std::chrono::milliseconds window);

 private:
  struct Mark {
    Monotonic at;
    Lateness total;
  };
  std::deque<Mark> marks_;  // the first is as old as the window, or the oldest
};

}  // namespace causeway::alerts
