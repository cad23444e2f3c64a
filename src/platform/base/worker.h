// A small group of named threads with a bounded queue, for what must never run on a loop: SQLite,
// files, password hashes, long scans. A full queue answers "busy" at once instead of growing. A
// result comes back through a callback that the caller posts to its own loop, or with offload() to
// a coroutine of that loop.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/task.h"

namespace causeway {

class WorkerGroup {
 public:
  /// `name` shows in ps and debuggers (15 characters with the number). `capacity` is the number of
  /// jobs that may wait; those being run do not count.
  WorkerGroup(std::string name, int threads, std::size_t capacity);
  /// Runs what is queued, then ends the threads.
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  /// Hands a job over; never waits. Overloaded when the queue is full, Unavailable after stop().
  /// From any thread. A job handles its own errors; an exception that leaves it ends the process.
  Result<void> submit(std::move_only_function<void()> job);

  /// Takes no more jobs, runs those that are queued, joins the threads. Idempotent; not from a job.
  void stop();

  /// Jobs that wait now.
  std::size_t queued() const;

 private:
  void work();

  const std::string name_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

/// Starts a thread with a name and with all signals blocked, so that they reach the main thread.
std::thread start_thread(std::string name, std::move_only_function<void()> body);

namespace detail {

template <class Post, class Job, class R>
struct Offload {
  WorkerGroup& group;
  Post post;
  Job job;
  std::optional<R> result;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    // The worker owns job and post: the frame may be gone as soon as post() has handed over.
    auto accepted =
        group.submit([this, waiter, run = std::move(job), deliver = std::move(post)]() mutable {
          result.emplace(run());
          deliver([waiter] { waiter.resume(); });
        });
    if (accepted) return true;
    result.emplace(std::unexpected(std::move(accepted).error()));
    return false;
  }
  R await_resume() { return std::move(*result); }
};

}  // namespace detail

/// Runs `job` (returns Result<T>) in the group and resumes the coroutine through `post`, which puts
/// a callback on the coroutine's loop: `co_await offload(files, [&loop](auto f) {
/// loop.post(std::move(f)); }, [path] { return read_file(path); })`. The loop must outlive the job.
template <class Post, class Job, class R = std::invoke_result_t<Job&>>
Task<R> offload(WorkerGroup& group, Post post, Job job) {
  detail::Offload<Post, Job, R> waiting{group, std::move(post), std::move(job), {}};
  co_return co_await waiting;
}

}  // namespace causeway
