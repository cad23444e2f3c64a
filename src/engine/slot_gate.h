// The semaphore of one model, shared by all loops: llama-server queues without bound, so Causeway
// lets in no more requests than it has slots. Waiters are served in the order in which they came,
// each on its own loop; the queue is bounded, and every wait ends at its deadline.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/engine.h"
#include "platform/http/client.h"

namespace causeway::engine {

class SlotGate : public std::enable_shared_from_this<SlotGate> {
 public:
  /// `on_demand` is called, on any thread and without a lock held, when a request begins to wait
  /// while the gate is closed: somebody must open it.
  SlotGate(http::Endpoint endpoint, std::size_t max_waiting, std::function<void()> on_demand);

  /// See Engine::acquire. The loop must outlive the wait.
  Task<Result<std::unique_ptr<EngineLease>>> acquire(Monotonic deadline, net::Loop& loop,
                                                     Cancel& cancel);

  const http::Endpoint& endpoint() const { return endpoint_; }

  // The rest is for the one who runs the child; from any thread.

  /// A child is ready. Leases of an earlier child no longer count.
  void open(std::size_t slots, bool knows_tools = true);
  /// Nothing is let in; waiters stay and new ones may wait: a child is coming. `hint` is told to
  /// those who give up.
  void close(std::chrono::milliseconds hint = std::chrono::seconds(1));
  /// As close(), but waiters and new requests get `error` until `until`; afterwards a request is
  /// demand again.
  void refuse(Error error, Monotonic until);
  /// Closes when no slot is taken, nobody waits and none was used since `since`.
  bool close_if_idle_since(Monotonic since);
  /// Ends the waits whose deadline has passed. To be called every 50 ms or so.
  void sweep(Monotonic now);

  struct Counts {
    std::size_t busy = 0, slots = 0, waiting = 0;
    std::uint64_t granted = 0;
    Monotonic last_used{};
  };
  Counts counts() const;

 private:
  class Held;
  enum class Outcome : std::uint8_t { Waiting, Granted, TimedOut, Cancelled, Failed };
  struct Waiter {
    net::Loop* loop = nullptr;
    Monotonic deadline{};
    std::coroutine_handle<> handle;      // touched on the loop's thread only
    Outcome outcome = Outcome::Waiting;  // guarded by mutex_ until the waiter is resumed
    std::uint64_t generation = 0;
    bool knows_tools = true;
    bool consumed = false;
    Error error;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;
  using Resumable = std::deque<WaiterPtr>;
  struct Wait;
  struct Guard;
  enum class Admission : std::uint8_t { Settled, Waits, WaitsForChild };

  Admission admit(const WaiterPtr& waiter);
  Resumable grant_locked(Monotonic now);
  Error busy_error_locked(ErrorKind kind) const;
  Error late_error_locked() const;
  void abandon(const WaiterPtr& waiter);
  void release(std::uint64_t generation, Monotonic since);
  static void resume(Resumable waiters);

  const http::Endpoint endpoint_;
  const std::size_t max_waiting_;
  const std::function<void()> on_demand_;

  mutable std::mutex mutex_;
  std::deque<WaiterPtr> waiting_;
  bool open_ = false;
  bool knows_tools_ = true;  // of the child; see EngineLease
  std::uint64_t generation_ = 0;
  std::size_t busy_ = 0, slots_ = 0;
  std::uint64_t granted_ = 0;
  Monotonic last_used_{};
  double hold_seconds_ = 2;  // moving average of how long a slot is held, for retry_after
  std::chrono::milliseconds hint_{1000};
  std::optional<Error> refusal_;
  Monotonic refused_until_{};
};

}  // namespace causeway::engine
