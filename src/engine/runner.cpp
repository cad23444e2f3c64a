#include "engine/runner.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "engine/detail/runner_common.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kAbsentRetry = 2s;    // how soon a file or program that appeared is noticed
constexpr auto kRefetchPause = 30s;  // after a fetch that failed
constexpr auto kFirstLoadHint = 3s;  // how long a load takes, before one has been measured

http::Endpoint endpoint_of(const std::string& socket) {
  http::Endpoint endpoint;
  endpoint.id = "engine:" + socket;
  endpoint.host = "localhost";
  endpoint.unix_path = socket;
  // A connection over a Unix socket costs microseconds; llama-server keeps a thread for each idle
  // one and closes it when it likes, which would be a race for every call.
  endpoint.max_idle = 0;
  return endpoint;
}

std::string log_path(const Places& places, std::string name) {
  if (places.logs.empty()) return "";
  std::ranges::replace_if(
      name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '-'; }, '_');
  return places.logs + "/engine-" + name + ".log";
}

}  // namespace

Runner::Runner(RunnerContext& context, std::shared_ptr<const ModelEntry> entry, std::string socket)
    : context_(context),
      entry_(std::move(entry)),
      socket_(std::move(socket)),
      log_(log_path(context.places, entry_->name)),
      backoff_(context.backoff, context.random) {
  gate_ = std::make_shared<SlotGate>(endpoint_of(socket_), entry_->max_waiting, [this] {
    // The gate may be called on any thread, but only through a runner that the caller holds.
    context_.loop.post([self = shared_from_this()] { self->demand(); });
  });
  shown_.entry = *entry_;
}

void Runner::enter(State state, std::string reason) {
  const bool changed = state != state_ || !reason.empty();
  state_ = state;
  {
    std::lock_guard lock(mutex_);
    shown_.state = state;
    shown_.reason = reason;
  }
  if (changed && context_.log) {
    std::string line = "engine: " + entry_->name + " is " + std::string(to_string(state));
    if (!reason.empty()) line += ": " + reason;
    context_.log(line);
  }
}

milliseconds Runner::load_hint() const {
  std::lock_guard lock(mutex_);
  return shown_.load_time > 0ms ? shown_.load_time : milliseconds(kFirstLoadHint);
}

void Runner::load() {
  kept_ = true;
  unloading_ = false;
  if (state_ == State::Failed) backoff_.reset();
  retry_at_ = {};
  demand();
}

void Runner::unload() {
  kept_ = false;
  unloading_ = has_child();
}

void Runner::retire() {
  retiring_ = true;
  fetch_.reset();
  unload();
}

void Runner::pull() {
  if (fetch_ || find_model(*entry_, context_.places)) return;
  told_to_fetch_ = true;
  if (!has_child()) begin_fetch();
}

bool Runner::yield_room() {
  if (child_state_ != State::Ready || kept_ || !gate_->close_if_idle_since(now())) return false;
  stop_child(kStopGrace);
  return true;
}

/// A request waits, or somebody wants the model loaded.
void Runner::demand() {
  if (closing_ || fetch_ || has_child()) return;
  if ((state_ == State::Failed || state_ == State::Absent) && now() < retry_at_) return;
  begin();
}

void Runner::begin() {
  const auto file = find_model(*entry_, context_.places);
  if (!file) {
    if (file.error().code == "model_missing" && context_.fetch_on_first_use &&
        can_fetch(*entry_, context_.places)) {
      return begin_fetch();
    }
    return absent(file.error());
  }
  const auto program = find_program(context_.places);
  if (!program) return absent(program.error());
  if (!context_.make_room(*this)) {  // tried again in tick(), as long as somebody waits
    enter(State::Stopped);
    return gate_->close(2s);
  }
  launch(*program, *file);
}

void Runner::absent(Error error) {
  retry_at_ = now() + kAbsentRetry;
  if (state_ != State::Absent) enter(State::Absent, error.message);
  gate_->refuse(std::move(error), retry_at_);
}

void Runner::begin_fetch() {
  enter(State::Fetching);
  gate_->close(kRefetchPause);
  {
    std::lock_guard lock(mutex_);
    shown_.fetched_bytes = 0;
    shown_.fetch_total_bytes = entry_->source.bytes;
  }
  const auto number = ++fetch_number_;
  const std::weak_ptr<Runner> weak = weak_from_this();
  FetchCallbacks callbacks;
  callbacks.on_progress = [weak](std::uint64_t done, std::uint64_t total) {
    const auto self = weak.lock();
    if (!self) return;
    std::lock_guard lock(self->mutex_);
    self->shown_.fetched_bytes = done;
    self->shown_.fetch_total_bytes = total;
  };
  callbacks.on_end = [weak, number, &loop = context_.loop](Result<void> result) {
    loop.post([weak, number, result = std::move(result)]() mutable {
      const auto self = weak.lock();
      if (self && self->fetch_number_ == number) self->fetch_ended(std::move(result));
    });
  };
  fetch_ = start_fetch(*entry_, context_.places, context_.spawner, std::move(callbacks));
}

void Runner::fetch_ended(Result<void> result) {
  fetch_.reset();
  if (closing_) return;
  const bool start = !std::exchange(told_to_fetch_, false) || kept_ || gate_->counts().waiting > 0;
  if (result) {
    enter(State::Stopped);
    if (start) begin();
    return;
  }
  retry_at_ = now() + kRefetchPause;
  Error error = unavailable("fetch_failed",
                            "The model's file could not be fetched: " + result.error().message +
                                "; `causeway engine pull " + entry_->name +
                                "` tries again and goes on where it was cut.");
  enter(State::Absent, error.message);
  gate_->refuse(std::move(error), retry_at_);
}

void Runner::tick(Monotonic time) {
  gate_->sweep(time);
  if (closing_) return;
  switch (child_state_) {
    case State::Starting:
      return tick_starting(time);
    case State::Ready:
      return tick_ready(time);
    case State::Stopping:
      return;
    default:
      break;
  }
  if (kept_ || gate_->counts().waiting > 0) demand();
}

void Runner::begin_stop() {
  closing_ = true;
  gate_->refuse(unavailable("stopping", "The program is ending."), Monotonic::max());
  fetch_.reset();
  cancel_.request();
  if (!has_child()) return;
  child_state_ = State::Stopping;
  enter(State::Stopping);
  child_.terminate(kShutdownGrace);
}

Task<void> Runner::stopped() {
  while (has_child() || probing_) co_await context_.loop.sleep(5ms);
}

bool Runner::is_gone() {
  if (!retiring_ || has_child() || probing_ || gate_->counts().waiting > 0) return false;
  gate_->refuse(unavailable("model_changed", "The model was changed just now. Try again."),
                Monotonic::max());
  return true;
}

/// Of a model without a child: what a request would find now.
void Runner::look_again(ModelStatus& out) const {
  const auto file = find_model(*entry_, context_.places);
  const auto program = find_program(context_.places);
  if (file) {
    out.file = *file;
    out.file_bytes = file_size(*file);
  }
  if (file && program) {
    out.state = State::Stopped;
    out.reason.clear();
  } else if (file || out.state != State::Absent) {  // why a fetch failed is known already
    out.state = State::Absent;
    out.reason = file ? program.error().message : file.error().message;
  }
}

ModelStatus Runner::status(std::size_t log_lines) const {
  ModelStatus out;
  {
    std::lock_guard lock(mutex_);
    out = shown_;
  }
  const auto counts = gate_->counts();
  out.slots_busy = counts.busy;
  out.slots_total = counts.slots;
  out.waiting = counts.waiting;
  out.requests_total = counts.granted;
  if (out.pid != 0) out.resident_bytes = process::resident_bytes(out.pid);
  if (log_lines > 0) out.log = log_.last(log_lines);
  if (out.state == State::Stopped || out.state == State::Absent) look_again(out);
  return out;
}

}  // namespace causeway::engine
