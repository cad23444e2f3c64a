#include "engine/slot_gate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "platform/net/loop.h"

namespace causeway::engine {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinRetryAfter{1000};
constexpr milliseconds kMaxRetryAfter{60'000};

// Not Loop::now(): leases are given back on any thread.
Monotonic now() { return std::chrono::steady_clock::now(); }

Error make_error(ErrorKind kind, std::string code, std::string message) {
  Error error;
  error.kind = kind;
  error.origin = Origin::Us;
  error.retryable = true;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

}  // namespace

/// Suspends until the gate has decided.
struct SlotGate::Wait {
  SlotGate& gate;
  const WaiterPtr& waiter;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    waiter->handle = handle;
    const Admission admission = gate.admit(waiter);
    // From here on the waiter may already be granted, but it is resumed through its loop's post,
    // which cannot run before this function has returned.
    if (admission == Admission::WaitsForChild && gate.on_demand_) gate.on_demand_();
    return admission != Admission::Settled;
  }
  void await_resume() const noexcept {}
};

/// Takes a waiter back when its coroutine ends in whatever way, also when its frame is destroyed
/// while it waits.
struct SlotGate::Guard {
  SlotGate& gate;
  WaiterPtr waiter;
  Cancel& cancel;
  ~Guard() {
    cancel.on_request(nullptr);
    waiter->handle = {};
    gate.abandon(waiter);
  }
};

/// The lease that a caller gets.
class SlotGate::Held final : public EngineLease {
 public:
  Held(std::shared_ptr<SlotGate> gate, std::uint64_t generation, bool knows_tools)
      : gate_(std::move(gate)), generation_(generation), knows_tools_(knows_tools), since_(now()) {}
  ~Held() override { gate_->release(generation_, since_); }
  const http::Endpoint& endpoint() const override { return gate_->endpoint(); }
  bool knows_tools() const override { return knows_tools_; }

 private:
  const std::shared_ptr<SlotGate> gate_;
  const std::uint64_t generation_;
  const bool knows_tools_;
  const Monotonic since_;
};

SlotGate::SlotGate(http::Endpoint endpoint, std::size_t max_waiting,
                   std::function<void()> on_demand)
    : endpoint_(std::move(endpoint)), max_waiting_(max_waiting), on_demand_(std::move(on_demand)) {}

Task<Result<std::unique_ptr<EngineLease>>> SlotGate::acquire(Monotonic deadline, net::Loop& loop,
                                                             Cancel& cancel) {
  const auto self = shared_from_this();
  const auto waiter = std::make_shared<Waiter>();
  waiter->loop = &loop;
  waiter->deadline = deadline;
  const Guard guard{*this, waiter, cancel};
  if (!cancel.requested()) {
    cancel.on_request([self, waiter] { self->abandon(waiter); });
    co_await Wait{*this, waiter};
  } else {
    waiter->outcome = Outcome::Cancelled;
  }
  if (waiter->outcome == Outcome::Granted && !cancel.requested()) {
    waiter->consumed = true;
    co_return std::make_unique<Held>(self, waiter->generation, waiter->knows_tools);
  }
  if (waiter->outcome == Outcome::Granted || waiter->outcome == Outcome::Cancelled) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "the request was cancelled");
  }
  co_return std::unexpected(std::move(waiter->error));
}

SlotGate::Admission SlotGate::admit(const WaiterPtr& waiter) {
  const auto settle = [&](Error error) {
    waiter->outcome = Outcome::Failed;
    waiter->error = std::move(error);
    return Admission::Settled;
  };
  const auto time = now();
  std::lock_guard lock(mutex_);
  if (open_ && busy_ < slots_ && waiting_.empty()) {
    ++busy_;
    ++granted_;
    waiter->outcome = Outcome::Granted;
    waiter->generation = generation_;
    waiter->knows_tools = knows_tools_;
    return Admission::Settled;
  }
  if (refusal_ && time < refused_until_) {
    Error error = *refusal_;
    error.retry_after =
        std::max(std::chrono::ceil<milliseconds>(refused_until_ - time), kMinRetryAfter);
    return settle(std::move(error));
  }
  refusal_.reset();
  if (waiting_.size() >= max_waiting_) return settle(busy_error_locked(ErrorKind::RateLimited));
  waiting_.push_back(waiter);
  return open_ ? Admission::Waits : Admission::WaitsForChild;
}

Error SlotGate::busy_error_locked(ErrorKind kind) const {
  const double turns = std::ceil(static_cast<double>(waiting_.size() + 1) /
                                 static_cast<double>(std::max<std::size_t>(slots_, 1)));
  const auto estimate = milliseconds(static_cast<std::int64_t>(turns * hold_seconds_ * 1000));
  Error error = make_error(
      kind, kind == ErrorKind::RateLimited ? "engine_queue_full" : "engine_busy",
      kind == ErrorKind::RateLimited ? "The model is busy and its queue is full. Try again later."
                                     : "The model is busy. Try again later.");
  error.retry_after =
      std::clamp(open_ ? estimate : std::max(estimate, hint_), kMinRetryAfter, kMaxRetryAfter);
  return error;
}

Error SlotGate::late_error_locked() const {
  if (open_) return busy_error_locked(ErrorKind::Overloaded);
  Error error = make_error(ErrorKind::Overloaded, "model_loading",
                           "The model is being loaded. Try again in a moment.");
  error.retry_after = std::clamp(hint_, kMinRetryAfter, kMaxRetryAfter);
  return error;
}

SlotGate::Resumable SlotGate::grant_locked(Monotonic time) {
  Resumable ready;
  while (open_ && busy_ < slots_ && !waiting_.empty()) {
    WaiterPtr waiter = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiter->deadline <= time) {
      waiter->outcome = Outcome::TimedOut;
      waiter->error = late_error_locked();
    } else {
      ++busy_;
      ++granted_;
      waiter->outcome = Outcome::Granted;
      waiter->generation = generation_;
      waiter->knows_tools = knows_tools_;
    }
    ready.push_back(std::move(waiter));
  }
  return ready;
}

void SlotGate::resume(Resumable waiters) {
  for (auto& waiter : waiters) {
    net::Loop& loop = *waiter->loop;
    loop.post([waiter = std::move(waiter)] {
      if (auto handle = std::exchange(waiter->handle, {})) handle.resume();
    });
  }
}

void SlotGate::open(std::size_t slots, bool knows_tools) {
  Resumable ready;
  {
    std::lock_guard lock(mutex_);
    open_ = true;
    ++generation_;
    busy_ = 0;
    slots_ = slots;
    knows_tools_ = knows_tools;
    refusal_.reset();
    last_used_ = now();
    ready = grant_locked(last_used_);
  }
  resume(std::move(ready));
}

void SlotGate::close(milliseconds hint) {
  std::lock_guard lock(mutex_);
  open_ = false;
  ++generation_;
  busy_ = slots_ = 0;
  refusal_.reset();
  hint_ = hint;
}

void SlotGate::refuse(Error error, Monotonic until) {
  Resumable failed;
  {
    std::lock_guard lock(mutex_);
    open_ = false;
    ++generation_;
    busy_ = slots_ = 0;
    failed.swap(waiting_);
    const auto wait = std::max(std::chrono::ceil<milliseconds>(until - now()), kMinRetryAfter);
    for (auto& waiter : failed) {
      waiter->outcome = Outcome::Failed;
      waiter->error = error;
      waiter->error.retry_after = wait;
    }
    refusal_ = std::move(error);
    refused_until_ = until;
  }
  resume(std::move(failed));
}

bool SlotGate::close_if_idle_since(Monotonic since) {
  std::lock_guard lock(mutex_);
  if (!open_ || busy_ > 0 || !waiting_.empty() || last_used_ > since) return false;
  open_ = false;
  ++generation_;
  slots_ = 0;
  return true;
}

void SlotGate::sweep(Monotonic time) {
  Resumable late;
  {
    std::lock_guard lock(mutex_);
    const auto kept =
        std::stable_partition(waiting_.begin(), waiting_.end(),
                              [&](const WaiterPtr& waiter) { return waiter->deadline > time; });
    for (auto it = kept; it != waiting_.end(); ++it) {
      (*it)->outcome = Outcome::TimedOut;
      late.push_back(std::move(*it));
    }
    waiting_.erase(kept, waiting_.end());
    for (auto& waiter : late) waiter->error = late_error_locked();
  }
  resume(std::move(late));
}

void SlotGate::abandon(const WaiterPtr& waiter) {
  Resumable ready;
  {
    std::lock_guard lock(mutex_);
    const auto it = std::ranges::find(waiting_, waiter);
    if (it != waiting_.end()) {
      waiting_.erase(it);
      waiter->outcome = Outcome::Cancelled;
      if (waiter->handle) ready.push_back(waiter);
    } else if (waiter->outcome == Outcome::Granted && !waiter->consumed && !waiter->handle) {
      // Its coroutine is gone or does not want the slot any more: hand it on.
      waiter->outcome = Outcome::Cancelled;
      if (open_ && waiter->generation == generation_) {
        --busy_;
        ready = grant_locked(now());
      }
    }
  }
  resume(std::move(ready));
}

void SlotGate::release(std::uint64_t generation, Monotonic since) {
  Resumable ready;
  {
    std::lock_guard lock(mutex_);
    if (!open_ || generation != generation_) return;
    --busy_;
    last_used_ = now();
    const std::chrono::duration<double> held = last_used_ - since;
    hold_seconds_ += 0.2 * (held.count() - hold_seconds_);
    ready = grant_locked(last_used_);
  }
  resume(std::move(ready));
}

SlotGate::Counts SlotGate::counts() const {
  std::lock_guard lock(mutex_);
  return {busy_, slots_, waiting_.size(), granted_, last_used_};
}

}  // namespace causeway::engine
