// One event loop: one thread, its sockets, its timers. Nothing of it is touched by another thread
// but post() and stop(). Asio is behind it and shows in no header that others include.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "platform/base/clock.h"
#include "platform/base/task.h"

namespace causeway::net {

struct LoopImpl;

/// Something that a loop looks at once a second: deadlines are fields that are compared there,
/// which costs nothing per operation (a timer per operation costs 0.2 to 1.3 µs). So a deadline is
/// kept to about a second. Unlinks itself when it is destroyed.
class Swept {
 public:
  Swept() = default;
  Swept(const Swept&) = delete;
  Swept& operator=(const Swept&) = delete;
  virtual ~Swept() { unlink(); }

  /// Compares deadlines and cancels what is past them. May unlink or destroy any Swept.
  virtual void sweep(Monotonic now) = 0;

  bool linked() const { return list_ != nullptr; }
  void unlink();

 private:
  friend class SweepList;
  class SweepList* list_ = nullptr;
  Swept* next_ = nullptr;
  Swept* previous_ = nullptr;
};

class SweepList {
 public:
  ~SweepList();
  void add(Swept& entry);
  void run(Monotonic now);

 private:
  friend class Swept;
  Swept* first_ = nullptr;
  Swept* cursor_ = nullptr;  // the next one of a run in progress
};

class Loop {
 public:
  /// `sweep_period`: how often Swept::sweep is called; shorter than the default only in tests.
  explicit Loop(int index = 0,
                std::chrono::milliseconds sweep_period = std::chrono::milliseconds(1000));
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  int index() const { return index_; }

  /// Runs on the calling thread until stop().
  void run();
  /// Runs until `done()` or until `limit` has passed; returns the last done(). For tests, start-up
  /// and shut-down: also before run() and after it.
  bool run_until(std::move_only_function<bool()> done, std::chrono::milliseconds limit);
  /// From any thread.
  void stop();
  /// Runs `action` on the loop's thread, later. From any thread: the only act across loops.
  void post(std::move_only_function<void()> action);

  /// Waits without blocking the loop. Precise to about a millisecond.
  Task<void> sleep(std::chrono::milliseconds time);

  /// Those who always have more to do: requests that a client sent ahead, bulk data that an
  /// upstream has ready.
  enum class BackRow : std::uint8_t { Ahead, Bulk };
  /// `co_await loop.next_turn(row);` goes on when all others that are ready have had their turn.
  /// All who wait in a row have a part of each turn together, so that however many they are, they
  /// do not keep the others waiting, nor does one row the other.
  struct [[nodiscard]] NextTurn {
    Loop& loop;
    BackRow row;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const { loop.wait_in(row, waiter); }
    void await_resume() const noexcept {}
  };
  NextTurn next_turn(BackRow row) { return {*this, row}; }

  /// Calls `action` every `period` on the loop, until the loop ends.
  void every(std::chrono::milliseconds period, std::move_only_function<void()> action);

  /// How late the loop is: of its pulse, ten times a second from run() on, how many were due and
  /// how late they came, all together. One that came late counts with those that it held up, and
  /// one that is due now as late as it is; so the second by the first is how long what is ready
  /// waits in the mean, on a loop that gets no processor or whose turns are long. From any thread.
  struct Lateness {
    std::uint64_t pulses = 0;
    std::chrono::microseconds sum{0};
  };
  Lateness lateness() const;

  /// Monotonic time to a few milliseconds (the kernel's coarse clock): good for deadlines, not for
  /// measuring.
  Monotonic now() const;

  /// Cohort scheduling (Larus and Parkes, 2002): `waiter` is resumed when everything that was ready
  /// in this turn of the loop has come to where it waits, the cohorts one after the other. A
  /// request's way is longer than the instruction cache: where many are on it at once, each stretch
  /// of it is fetched once for all of them. Which stretches there are is platform/http/cohort.h's.
  static constexpr std::size_t kCohorts = 8;
  void join(std::size_t cohort, std::coroutine_handle<> waiter);

  /// From the next sweep on, until the entry unlinks itself.
  void watch(Swept& entry);

  /// For platform/net and platform/http only.
  LoopImpl& impl() { return *impl_; }

 private:
  void wait_in(BackRow row, std::coroutine_handle<> waiter);

  int index_;
  std::unique_ptr<LoopImpl> impl_;
};

}  // namespace causeway::net
