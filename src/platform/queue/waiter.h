// One coroutine that waits in a queue: wakes on its own loop, whoever comes first: its turn, its
// caller's leaving, or the end of its patience.
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

}  // namespace causeway::queue
