#include "platform/log/access_log.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/base/worker.h"
#include "platform/log/detail/byte_ring.h"
#include "platform/log/detail/log_file.h"
#include "platform/log/log.h"

namespace causeway::log {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

struct Channel {
  explicit Channel(std::size_t bytes) : ring(bytes), longest_line(bytes / 4) {}
  detail::ByteRing ring;
  const std::size_t longest_line;
  alignas(64) std::atomic<std::uint64_t> dropped{0};  // written by the loop only
};

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

struct AccessLog::Impl {
  Impl(AccessLogOptions given, int loops, Log& program_log)
      : options(std::move(given)),
        log(program_log),
        file(options.target, options.max_file_bytes, options.keep_files) {
    for (int i = 0; i < loops; ++i) {
      channels.push_back(std::make_unique<Channel>(options.buffer_bytes));
    }
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      // A notification between the check and the wait is lost, since loops take no lock; the
      // interval bounds what that costs.
      wake.wait_for(lock, options.write_interval, [this] {
        return stopping || asked_flushes != done_flushes || half_full.load();
      });
      const bool last = stopping;
      const auto flushes = asked_flushes;
      half_full.store(false);
      lock.unlock();
      carry_all();
      lock.lock();
      done_flushes = flushes;
      flushed.notify_all();
      if (last) return;
    }
  }

  void carry_all() {
    if (reopen_asked.exchange(false)) report(file.reopen());
    for (auto& channel : channels) {
      const auto pieces = channel->ring.readable();
      if (pieces.size() == 0) continue;
      auto done = file.write(pieces.first, pieces.second, kPatience);
      if (done) {
        written.fetch_add(pieces.size(), std::memory_order_relaxed);
      } else {
        lost.fetch_add(count_lines(pieces.first) + count_lines(pieces.second),
                       std::memory_order_relaxed);
      }
      channel->ring.consume(pieces.size());
      report(std::move(done));
    }
  }

  void report(Result<void> result) {
    if (result) {
      if (failing) log.state(Level::Info, "access log", "writing");
      failing = false;
      return;
    }
    failing = true;
    log.state(Level::Error, "access log", "failing", {{"reason", result.error().message}});
  }

  const AccessLogOptions options;
  Log& log;
  detail::LogFile file;  // by the thread only, once it runs
  bool failing = false;  // the same
  std::vector<std::unique_ptr<Channel>> channels;

  std::atomic<bool> half_full{false};
  std::atomic<bool> reopen_asked{false};
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> lost{0};  // handed over, but not taken by the file

  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable flushed;
  bool stopping = false;
  std::uint64_t asked_flushes = 0;
  std::uint64_t done_flushes = 0;
  std::thread thread;
};

AccessLog::AccessLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->thread = start_thread("access-log", [impl = impl_.get()] { impl->run(); });
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(AccessLogOptions options, int loops, Log& log) {
  auto impl = std::make_unique<Impl>(std::move(options), loops, log);
  if (auto opened = impl->file.open(); !opened) return pass(std::move(opened));
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(impl)));
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

bool AccessLog::write(int loop, std::string_view line) noexcept {
  Channel& channel = *impl_->channels[static_cast<std::size_t>(loop)];
  const auto pushed =
      line.size() > channel.longest_line ? detail::ByteRing::Push::Full : channel.ring.push(line);
  if (pushed == detail::ByteRing::Push::Done) [[likely]] {
    return true;
  }
  if (pushed == detail::ByteRing::Push::HalfFull) {
    // The one call into the system, once per half a ring: about a thousand lines.
    impl_->half_full.store(true);
    impl_->wake.notify_one();
    return true;
  }
  channel.dropped.store(channel.dropped.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  return false;
}

void AccessLog::reopen() { impl_->reopen_asked.store(true); }

void AccessLog::flush() {
  std::unique_lock lock(impl_->mutex);
  const auto mine = ++impl_->asked_flushes;
  impl_->wake.notify_one();
  impl_->flushed.wait(lock, [&] { return impl_->done_flushes >= mine; });
}

std::uint64_t AccessLog::dropped() const {
  std::uint64_t total = impl_->lost.load(std::memory_order_relaxed);
  for (const auto& channel : impl_->channels) {
    total += channel->dropped.load(std::memory_order_relaxed);
  }
  return total;
}

std::uint64_t AccessLog::written_bytes() const {
  return impl_->written.load(std::memory_order_relaxed);
}

}  // namespace causeway::log
