// A way to ask one running operation of the same loop to stop. The owner of the reason (a client
// that went away, a drain that ran out) calls request(); the operation in progress registers what
// ends it. A later operation sees requested() and does not begin.
#pragma once

#include <functional>
#include <utility>

namespace causeway {

class Cancel {
 public:
  Cancel() = default;
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  bool requested() const { return requested_; }

  /// Idempotent. Runs the registered action, once, inside the call.
  void request() {
    if (std::exchange(requested_, true)) return;
    if (auto action = std::exchange(action_, nullptr)) action();
  }

  /// What ends the operation in progress; nullptr takes it back. One at a time.
  void on_request(std::move_only_function<void()> action) { action_ = std::move(action); }

 private:
  bool requested_ = false;
  std::move_only_function<void()> action_;
};

}  // namespace causeway
