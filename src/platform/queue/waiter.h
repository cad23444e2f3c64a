// One coroutine that waits in a queue: wakes on its own loop, whoever comes first: its turn, its
// caller's leaving, or the end of its patience. And its place, which it leaves in any case.
#pragma once

#include <functional>
#include <utility>

#include "platform/base/clock.h"
#include "platform/base/task.h"
#include "platform/net/loop.h"
#include "platform/queue/fair_queue.h"

namespace causeway::queue {

/// `Turn` is what it gets when it is admitted.
template <class Turn>
class Waiter final : public net::Swept {
 public:
  /// `give_back`: of a turn that came when it had just gone.
  Waiter(Monotonic until, std::move_only_function<void(const Turn&)> give_back)
      : until_(until), give_back_(std::move(give_back)) {}
  void sweep(Monotonic now) override {
    if (now >= until_) end(End::TooLate);
  }
  void end(End how, const Turn& turn = {}) {
    unlink();
    if (end_ != End::Waiting) {
      if (how == End::Admitted) give_back_(turn);
      return;
    }
    end_ = how;
    turn_ = turn;
    signal.set();
  }
  End how() const { return end_; }
  const Turn& turn() const { return turn_; }
  Signal signal;

 private:
  Monotonic until_;
  std::move_only_function<void(const Turn&)> give_back_;
  End end_ = End::Waiting;
  Turn turn_{};
};

/// Takes one out of the line however its waiting ends, also where its loop goes away. `Line` has
/// give_up(place, now), for a place that may have been left already.
template <class Line, class Place>
class InLine {
 public:
  InLine(Line& line, Place place, const Clock& clock)
      : line_(line), place_(std::move(place)), clock_(clock) {}
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;
  ~InLine() { line_.give_up(place_, clock_.now()); }

 private:
  Line& line_;
  Place place_;
  const Clock& clock_;
};

}  // namespace causeway::queue
