// How Debian builds spdlog: as a library, with the system's fmt.
#define SPDLOG_COMPILED_LIB
#define SPDLOG_SHARED_LIB
#define SPDLOG_FMT_EXTERNAL

#include "platform/log/log.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "platform/log/detail/line_format.h"
#include "platform/log/detail/repeat_limit.h"

namespace causeway::log {
namespace {

constexpr std::size_t kQueuedLines = 512;
constexpr std::size_t kRememberedStates = 1024;

/// Signals belong to the main thread.
void name_and_mask_thread() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  pthread_setname_np(pthread_self(), "log");
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      break;
  }
  return spdlog::level::err;
}

/// The last state of each thing that has one; the oldest things are forgotten first.
class States {
 public:
  /// The state before, when `state` is a change; "" for a thing that is new.
  std::optional<std::string> change(std::string_view what, std::string_view state) {
    const auto known = states_.find(std::string(what));
    if (known != states_.end()) {
      if (known->second == state) return std::nullopt;
      return std::exchange(known->second, std::string(state));
    }
    if (order_.size() >= kRememberedStates) {
      states_.erase(order_.front());
      order_.pop_front();
    }
    order_.emplace_back(what);
    states_.emplace(what, state);
    return std::string();
  }

 private:
  std::unordered_map<std::string, std::string> states_;
  std::deque<std::string> order_;
};

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      break;
  }
  return "error";
}

struct Log::Impl {
  Impl(Options given, const Clock& time)
      : format(given.format), sink(std::move(given.sink)), clock(time), level(given.level) {
    if (sink) return;
    colours = isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1, name_and_mask_thread);
    logger = std::make_shared<spdlog::async_logger>(
        "causeway", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool,
        spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::trace);  // the level is checked before
    logger->set_pattern("%v");
  }

  void emit(const detail::Line& line) {
    const auto text =
        format == Format::Json ? detail::format_json(line) : detail::format_text(line, colours);
    if (sink) {
      const std::lock_guard lock(mutex);
      sink(text);
    } else {
      logger->log(to_spdlog(line.level), spdlog::string_view_t(text.data(), text.size()));
    }
  }

  const Format format;
  const std::function<void(std::string_view)> sink;
  const Clock& clock;
  std::atomic<Level> level;
  bool colours = false;
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> pool;  // ends first: its thread writes what waits

  std::mutex mutex;
  detail::RepeatLimit repeats;
  States states;
};

Log::Log(Options options, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), clock)) {}

Log::~Log() = default;

void Log::write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  std::optional<std::uint64_t> suppressed;
  {
    const std::lock_guard lock(impl_->mutex);
    suppressed = impl_->repeats.admit(message, impl_->clock.now());
  }
  if (!suppressed) return;
  impl_->emit({.time = impl_->clock.wall(),
               .level = level,
               .message = message,
               .fields = fields,
               .suppressed = *suppressed});
}

bool Log::state(Level level, std::string_view what, std::string_view state, Fields fields) {
  std::optional<std::string> before;
  {
    const std::lock_guard lock(impl_->mutex);
    before = impl_->states.change(what, state);
  }
  if (!before) return false;
  if (!enabled(level)) return true;
  std::string message(what);
  message += ": ";
  message += state;
  impl_->emit({.time = impl_->clock.wall(),
               .level = level,
               .message = message,
               .fields = fields,
               .before = *before});
  return true;
}

void Log::set_level(Level level) { impl_->level.store(level, std::memory_order_relaxed); }

bool Log::enabled(Level level) const {
  return level >= impl_->level.load(std::memory_order_relaxed);
}

std::uint64_t Log::dropped() const { return impl_->pool ? impl_->pool->overrun_counter() : 0; }

}  // namespace causeway::log
