#include "platform/base/worker.h"

#include <pthread.h>
#include <signal.h>

namespace causeway {

std::thread start_thread(std::string name, std::move_only_function<void()> body) {
  if (name.size() > 15) name.resize(15);  // the kernel's limit
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([name = std::move(name), body = std::move(body)]() mutable {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

WorkerGroup::WorkerGroup(std::string name, int threads, std::size_t capacity)
    : name_(std::move(name)), capacity_(capacity) {
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.push_back(start_thread(name_ + "-" + std::to_string(i), [this] { work(); }));
  }
}

WorkerGroup::~WorkerGroup() { stop(); }

Result<void> WorkerGroup::submit(std::move_only_function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return fail(ErrorKind::Unavailable, Origin::Us, name_ + " is stopping");
    if (jobs_.size() >= capacity_) {
      auto busy = fail(ErrorKind::Overloaded, Origin::Us, name_ + " is busy; try again", "busy");
      busy.error().retryable = true;
      return busy;
    }
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return {};
}

void WorkerGroup::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t WorkerGroup::queued() const {
  std::lock_guard lock(mutex_);
  return jobs_.size();
}

void WorkerGroup::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds is freed outside the lock
    lock.lock();
  }
}

}  // namespace causeway
