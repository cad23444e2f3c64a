// One event loop: one thread, its sockets, its timers. Nothing of it is touched by another thread
// but post() and stop(). Asio is behind it and shows in no header that others include.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "platform/base/clock.h"
#include "platform/base/task.h"

namespace causeway::net {

struct LoopImpl;

class Loop {
 public:
  explicit Loop(int index = 0);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  int index() const { return index_; }

  /// Runs on the calling thread until stop().
  void run();
  /// From any thread.
  void stop();
  /// Runs `action` on the loop's thread, later. From any thread: the only act across loops.
  void post(std::move_only_function<void()> action);

  /// Waits without blocking the loop. Precise to about a millisecond.
  Task<void> sleep(std::chrono::milliseconds time);

  /// Calls `action` every `period` on the loop, until the loop ends.
  void every(std::chrono::milliseconds period, std::move_only_function<void()> action);

  /// Monotonic time, read once per wake-up of the loop: good for deadlines, not for measuring.
  Monotonic now() const;

  /// For platform/net and platform/http only.
  LoopImpl& impl() { return *impl_; }

 private:
  int index_;
  std::unique_ptr<LoopImpl> impl_;
};

}  // namespace causeway::net
