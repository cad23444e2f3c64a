// What was counted lately, by time: fine frames for the window that rules look at, coarse ones
// before it. Memory is bounded by rows in a frame (Windows::kMostRows) and the number of frames.
#pragma once

#include <chrono>
#include <deque>

#include "features/insight/alerts/cells.h"
#include "platform/base/clock.h"

namespace causeway::alerts {

/// Adds rows of the same subject; past `most` subjects they go to "other" of their target.
Rows summed(const std::vector<const Rows*>& parts, std::size_t most);

class Windows {
 public:
  using Time = std::chrono::milliseconds;
  static constexpr std::size_t kMostRows = 256;

  /// `window` is at least as long as a step; nothing older than `keep` is kept.
  Windows(Time window, Time keep) : window_(window), keep_(keep) {}

  /// What was counted between the last call and `now`.
  void add(Monotonic now, Rows rows);
  /// What was counted in (now - from, now - to].
  Rows sum(Monotonic now, Time from, Time to = Time(0)) const;
  /// How long ago the oldest of what is kept began.
  Time age(Monotonic now) const;

 private:
  struct Frame {
    Monotonic begin, end;
    Rows rows;
  };
  void make_coarse(Monotonic now);
  Time window_, keep_;
  std::deque<Frame> coarse_, fine_;
  Monotonic last_{};
  bool begun_ = false;
};

}  // namespace causeway::alerts
