// Time as the program sees it, behind an interface so that tests have virtual time. `now` is
// monotonic and for deadlines; `wall` is for people and records, and may jump.
#pragma once

#include <chrono>

namespace causeway {

using Monotonic = std::chrono::steady_clock::time_point;
using Wall = std::chrono::system_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Monotonic now() const = 0;
  virtual Wall wall() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Monotonic now() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return std::chrono::system_clock::now(); }
};

/// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  Monotonic now() const override { return now_; }
  Wall wall() const override { return wall_; }
  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    wall_ += std::chrono::duration_cast<Wall::duration>(by);
  }
  void set_wall(Wall wall) { wall_ = wall; }

 private:
  Monotonic now_{};
  Wall wall_{};
};

}  // namespace causeway
