#include "platform/net/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <ctime>

#include "platform/net/detail/loop_impl.h"

namespace causeway::net {

void Swept::unlink() {
  if (!list_) return;
  if (list_->cursor_ == this) list_->cursor_ = next_;
  if (list_->first_ == this) list_->first_ = next_;
  if (next_) next_->previous_ = previous_;
  if (previous_) previous_->next_ = next_;
  list_ = nullptr;
  next_ = previous_ = nullptr;
}

SweepList::~SweepList() {
  while (first_) first_->unlink();
}

void SweepList::add(Swept& entry) {
  entry.unlink();
  entry.list_ = this;
  entry.next_ = first_;
  if (first_) first_->previous_ = &entry;
  first_ = &entry;
}

void SweepList::run(Monotonic now) {
  cursor_ = first_;
  while (Swept* entry = cursor_) {
    cursor_ = entry->next_;
    entry->sweep(now);
  }
}

namespace {

void arm(LoopImpl::Periodic& periodic) {
  periodic.timer.expires_at(
      std::max(periodic.timer.expiry() + periodic.period, std::chrono::steady_clock::now()));
  periodic.timer.async_wait([&periodic](boost::system::error_code error) {
    if (error) return;
    periodic.action();
    arm(periodic);
  });
}

struct SleepAwaiter {
  asio::steady_timer timer;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    timer.async_wait([waiter](boost::system::error_code) { waiter.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Loop::Loop(int index, std::chrono::milliseconds sweep_period)
    : index_(index), impl_(std::make_unique<LoopImpl>()) {
  // A peer that closed must be an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  every(sweep_period, [this] { impl_->swept.run(now()); });
  post([this] { impl_->await_pulse(impl_->pulse.begin(std::chrono::steady_clock::now())); });
}

Loop::~Loop() = default;

void LoopImpl::await_pulse(Monotonic due) {
  pulse_timer.expires_at(due);
  pulse_timer.async_wait([this](boost::system::error_code error) {
    if (!error) await_pulse(pulse.come(std::chrono::steady_clock::now()));
  });
}

// To know that nothing else is ready costs a look at the kernel, which pays only where there often
// is something: so it is tried now and then, and kept up while it finds enough.
void LoopImpl::finish_turn() {
  constexpr unsigned kTry = 64;        // turns between two tries
  constexpr std::size_t kCrowd = 4;    // ready at once
  constexpr std::size_t kMost = 1024;  // then those that wait come first
  if (crowded || someone_in_back() || ++turns % kTry == 0) {
    std::size_t ready = 1;
    while (ready < kMost && context.poll_one() > 0) ++ready;
    crowded = ready >= kCrowd;
  }
  run_cohorts();
  if (someone_in_back()) serve_back_rows();
}

bool LoopImpl::begin_turn() {
  if (!someone_in_back()) return context.run_one() > 0;
  context.poll_one();
  return !context.stopped();
}

// Each row gets a quarter of the turn that was before, so that a crowd in front does not starve it;
// at least about a request's time.
void LoopImpl::serve_back_rows() {
  constexpr std::chrono::nanoseconds kLeast = std::chrono::microseconds(50);
  using Clock = std::chrono::steady_clock;
  auto now = Clock::now();
  const auto front = back_served == Clock::time_point{} ? kLeast : now - back_served;
  const auto share = std::max<std::chrono::nanoseconds>(kLeast, front / 4);
  for (auto& row : back_rows) {
    const auto end = now + share;
    while (!row.empty() && now < end) {
      const auto waiter = row.front();
      row.pop_front();
      waiter.resume();
      run_cohorts();
      now = Clock::now();
    }
  }
  back_served = someone_in_back() ? now : Clock::time_point{};
}

void Loop::wait_in(BackRow row, std::coroutine_handle<> waiter) {
  impl_->back_rows[static_cast<std::size_t>(row)].push_back(waiter);
}

void LoopImpl::run_cohorts() {
  for (bool again = true; again;) {
    again = false;
    for (auto& cohort : cohorts) {
      if (cohort.empty()) continue;
      again = true;
      auto waiters = std::move(cohort);  // what they do may bring others to the same place
      for (const auto waiter : waiters) waiter.resume();
      waiters.clear();
      if (cohort.capacity() == 0) cohort = std::move(waiters);  // its memory
    }
  }
}

void Loop::join(std::size_t cohort, std::coroutine_handle<> waiter) {
  impl_->cohorts[cohort].push_back(waiter);
}

void Loop::run() {
  impl_->run_cohorts();                              // what was begun before
  while (impl_->begin_turn()) impl_->finish_turn();  // none when stop() came first
  impl_->context.restart();  // for another run; a stop is used up by the run that it ended
}

bool Loop::run_until(std::move_only_function<bool()> done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  impl_->run_cohorts();
  while (!done()) {
    const bool busy = impl_->someone_in_back();
    if (busy && std::chrono::steady_clock::now() >= end) return done();
    if (busy || impl_->context.run_one_until(end) > 0) {
      impl_->finish_turn();
      continue;
    }
    if (!impl_->context.stopped()) return done();
    impl_->context.restart();
  }
  return true;
}

void Loop::stop() { impl_->context.stop(); }

void Loop::post(std::move_only_function<void()> action) {
  asio::post(impl_->context, [action = std::move(action)]() mutable { action(); });
}

Task<void> Loop::sleep(std::chrono::milliseconds time) {
  co_await SleepAwaiter{asio::steady_timer(impl_->context, time)};
}

void Loop::every(std::chrono::milliseconds period, std::move_only_function<void()> action) {
  auto& periodic = impl_->periodic.emplace_back(
      asio::steady_timer(impl_->context, std::chrono::steady_clock::now()), period,
      std::move(action));
  arm(periodic);
}

Loop::Lateness Loop::lateness() const { return impl_->pulse.at(std::chrono::steady_clock::now()); }

Monotonic Loop::now() const {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return Monotonic(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

void Loop::watch(Swept& entry) { impl_->swept.add(entry); }

}  // namespace causeway::net
