#include "engine/runner.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "engine/llama_server.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kStopGrace = 10s;
constexpr auto kShutdownGrace = 2s;
constexpr auto kProbeTimeout = 5s;
constexpr auto kMetricsPeriod = 5s;
constexpr auto kAbsentRetry = 2s;    // how soon a file or program that appeared is noticed
constexpr auto kRefetchPause = 30s;  // after a fetch that failed
constexpr auto kFirstLoadHint = 3s;  // how long a load takes, before one has been measured
constexpr std::size_t kMetricsLimit = 256 * 1024;

Monotonic now() { return std::chrono::steady_clock::now(); }

Error unavailable(std::string code, std::string message) {
  Error error;
  error.kind = ErrorKind::Unavailable;
  error.origin = Origin::Us;
  error.retryable = true;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

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

// What the engine needs beyond the basic environment; LLAMA_ARG_* are left out on purpose, so that
// the command line alone decides.
std::vector<std::string> engine_environment() {
  static constexpr std::string_view kNames[] = {
      "LD_LIBRARY_PATH",  "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "GGML_VK_VISIBLE_DEVICES",
      "VK_ICD_FILENAMES", "VK_DRIVER_FILES",      "XDG_RUNTIME_DIR"};
  auto out = process::basic_environment();
  for (auto& more : process::environment_of(kNames)) out.push_back(std::move(more));
  return out;
}

std::uint64_t file_size(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
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

void Runner::launch(const std::string& program, const std::string& file) {
  unlink(socket_.c_str());
  process::SpawnOptions options;
  options.program = program;
  options.arguments = llama_server_arguments(*entry_, file, socket_);
  options.environment = engine_environment();
  options.limits = {.address_space = entry_->memory_limit,
                    .open_files = 1024,
                    .nice = context_.nice,
                    .oom_score_adjust = 500};
  const auto number = ++launch_;
  const auto self = shared_from_this();
  options.on_line = [self](std::string_view line) { self->log_.add(line); };
  options.on_started = [self](pid_t pid) {
    std::lock_guard lock(self->mutex_);
    self->shown_.pid = pid;
  };
  options.on_exit = [self, number, &loop = context_.loop](const process::Exit& exit) {
    {
      std::lock_guard lock(self->mutex_);
      self->shown_.pid = 0;
    }
    loop.post([self, number, exit] {
      if (self->launch_ == number) self->child_ended(exit);
    });
  };
  {
    std::lock_guard lock(mutex_);
    shown_.file = file;
    shown_.file_bytes = file_size(file);
    shown_.tokens_per_second = shown_.prompt_tokens_per_second = 0;
    shown_.tokens_total = 0;
  }
  child_state_ = State::Starting;
  launched_at_ = now();
  gate_->close(load_hint());
  enter(State::Starting);
  child_ = context_.spawner.spawn(std::move(options));
}

void Runner::become_ready() {
  ready_at_ = now();
  {
    std::lock_guard lock(mutex_);
    shown_.load_time = std::chrono::duration_cast<milliseconds>(ready_at_ - launched_at_);
  }
  child_state_ = State::Ready;
  enter(State::Ready);
  gate_->open(entry_->slots);
}

void Runner::stop_child(milliseconds grace) {
  child_state_ = State::Stopping;
  unloading_ = false;
  enter(State::Stopping);
  gate_->close(load_hint());
  child_.terminate(grace);
}

void Runner::child_ended(const process::Exit& exit) {
  const State was = std::exchange(child_state_, State::Stopped);
  child_ = {};
  unlink(socket_.c_str());
  if (was == State::Stopping) {
    if (state_ == State::Stopping) enter(State::Stopped);
    if (!closing_ && (kept_ || gate_->counts().waiting > 0)) demand();
    return;
  }
  std::string reason = exit.reason;
  if (exit.signal == SIGILL) {
    reason +=
        "; it was built for another processor: `scripts/deps --only engine` builds one for "
        "this one";
  }
  if (const auto line = log_.last_error(); !line.empty()) reason += "; its last words: " + line;
  if (was == State::Starting) {
    failed_to_load("The engine ended while it loaded the model: " + reason);
  } else {
    crashed("The engine ended: " + reason);
  }
}

/// The next one would most likely end in the same way: who waits is told.
void Runner::failed_to_load(std::string reason) {
  retry_at_ = now() + backoff_.next(0ms);
  {
    std::lock_guard lock(mutex_);
    ++shown_.restarts;
  }
  enter(State::Failed, reason);
  Error error = unavailable("engine_failed",
                            "The model could not be loaded; `causeway engine` says "
                            "why.");
  error.detail = std::move(reason);
  gate_->refuse(std::move(error), retry_at_);
}

/// It worked before: who waits, waits for the next one.
void Runner::crashed(std::string reason) {
  const auto ran = std::chrono::duration_cast<milliseconds>(now() - ready_at_);
  const auto pause = backoff_.next(ran);
  retry_at_ = now() + pause;
  {
    std::lock_guard lock(mutex_);
    ++shown_.restarts;
  }
  enter(State::Failed, std::move(reason));
  gate_->close(pause + load_hint());
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

void Runner::tick_starting(Monotonic time) {
  if (time - launched_at_ > entry_->start_timeout) {
    child_state_ = State::Stopping;
    child_.terminate(kShutdownGrace);
    return failed_to_load("The engine was not ready after " +
                          std::to_string(entry_->start_timeout.count()) + " s");
  }
  if (!probing_) spawn(probe(shared_from_this(), launch_));
}

void Runner::tick_ready(Monotonic time) {
  const bool limited = !kept_ && entry_->idle_stop > 0s;
  if (((unloading_ || retiring_) && gate_->close_if_idle_since(time)) ||
      (limited && gate_->close_if_idle_since(time - entry_->idle_stop))) {
    return stop_child(kStopGrace);
  }
  if (probing_ || time - metrics_at_ < kMetricsPeriod) return;
  const auto granted = gate_->counts().granted;
  if (granted == metrics_requests_) return;
  metrics_at_ = time;
  // Once more after the last request has ended, so that the figures are final.
  if (gate_->counts().busy == 0) metrics_requests_ = granted;
  spawn(poll_metrics(shared_from_this(), launch_));
}

Task<Result<std::string>> Runner::get(std::string_view path, milliseconds limit) {
  probing_ = true;
  const http::ClientRequest request{
      .method = "GET",
      .target = path,
      .fields = {},
      .body = {},
      .timeouts = {.connect = limit, .first_byte = limit, .idle = limit, .total = limit}};
  auto answer = co_await context_.client.call(gate_->endpoint(), request, cancel_);
  Result<std::string> out = fail(ErrorKind::Unavailable, Origin::Upstream, "not ready");
  if (answer && (*answer)->head().status == 200) {
    auto body = co_await (*answer)->read_all(kMetricsLimit);
    if (body) out = std::string(*body);
  }
  answer = fail(ErrorKind::Unavailable, Origin::Upstream, "done");  // closes the connection
  probing_ = false;
  co_return out;
}

Task<void> Runner::probe(std::shared_ptr<Runner> self, std::uint64_t launch) {
  const auto answer = co_await self->get(kHealthPath, kProbeTimeout);
  if (self->launch_ != launch || self->child_state_ != State::Starting || self->closing_) co_return;
  if (answer) self->become_ready();
}

Task<void> Runner::poll_metrics(std::shared_ptr<Runner> self, std::uint64_t launch) {
  const auto answer = co_await self->get(kMetricsPath, kProbeTimeout);
  if (self->launch_ != launch || !answer) co_return;
  const auto metrics = read_llama_metrics(*answer);
  std::lock_guard lock(self->mutex_);
  self->shown_.tokens_per_second = metrics.tokens_per_second;
  self->shown_.prompt_tokens_per_second = metrics.prompt_tokens_per_second;
  self->shown_.tokens_total = metrics.tokens_total;
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
  if (out.file.empty() && out.state == State::Stopped) {
    // Not looked at yet: say what a request would find.
    if (const auto file = find_model(*entry_, context_.places)) {
      out.file = *file;
      out.file_bytes = file_size(*file);
    } else {
      out.state = State::Absent;
      out.reason = file.error().message;
    }
  }
  return out;
}

}  // namespace causeway::engine
