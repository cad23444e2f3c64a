// The half of the runner that deals with the child itself: launching it, asking whether it is
// ready, its end.
#include <unistd.h>

#include <csignal>
#include <utility>

#include "engine/detail/runner_common.h"
#include "engine/llama_server.h"
#include "engine/runner.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kProbeTimeout = 5s;
constexpr auto kMetricsPeriod = 5s;
constexpr std::size_t kMetricsLimit = 256 * 1024;

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

}  // namespace

void Runner::launch(const std::string& program, const std::string& file) {
  unlink(socket_.c_str());
  process::SpawnOptions options;
  options.program = program;
  options.arguments = llama_server_arguments(*entry_, file, socket_);
  options.environment = engine_environment();
  // No niceness: somebody waits for every token, and at 5 a child next to anything else that is
  // busy gets a quarter of a processor instead of half. The loops do not need it: they sleep most
  // of the time, and the kernel lets who wakes up go before who computes without a pause.
  options.limits = {
      .address_space = entry_->memory_limit, .open_files = 1024, .oom_score_adjust = 500};
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
  log_.begin("starting " + program + " for " + file);
  child_state_ = State::Starting;
  launched_at_ = now();
  gate_->close(load_hint());
  enter(State::Starting);
  child_ = context_.spawner.spawn(std::move(options));
}

void Runner::become_ready(bool knows_tools) {
  ready_at_ = now();
  {
    std::lock_guard lock(mutex_);
    shown_.load_time = std::chrono::duration_cast<milliseconds>(ready_at_ - launched_at_);
  }
  child_state_ = State::Ready;
  enter(State::Ready);
  gate_->open(entry_->slots, knows_tools);
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
  if (!answer) co_return;
  const auto properties = co_await self->get(kPropertiesPath, kProbeTimeout);
  if (self->launch_ != launch || self->child_state_ != State::Starting || self->closing_) co_return;
  self->become_ready(!properties || template_knows_tools(*properties));
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

}  // namespace causeway::engine
