#include "features/traffic/routing/breaker.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace causeway::routing {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kFullyBack = 64;  // calls at once of a slow start that is over
constexpr std::uint32_t kFewCalls = 20;   // too few to speak of a rate
constexpr std::chrono::seconds kWindow{10};
constexpr milliseconds kTrialWait{100};  // for those that a slow start leaves outside
// A trial that takes longer does not keep the next one out: some answers take minutes.
constexpr std::chrono::seconds kTrialPatience{1};

milliseconds rest_after(std::uint32_t relapses, const BreakerSettings& settings) {
  const auto doubled = settings.rest * (std::int64_t{1} << std::min(relapses, 20u));
  return std::min<milliseconds>(doubled, settings.longest_rest);
}

milliseconds until(Monotonic then, Monotonic now) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(then - now));
}

}  // namespace

std::string_view to_string(Breaker::State state) {
  switch (state) {
    case Breaker::State::Closed:
      return "closed";
    case Breaker::State::Open:
      return "open";
    case Breaker::State::Trying:
      return "trying";
  }
  return "closed";
}

Breaker::Admission Breaker::admit(Monotonic now) {
  if (state() == State::Closed) {
    calls_.fetch_add(1, std::memory_order_relaxed);
    return {.goes = true};
  }
  const std::lock_guard guard(mutex_);
  if (state() == State::Open) {
    if (unwell_ || now < until_) {
      return {false, false, std::max(until(until_, now), kTrialWait), limit_};
    }
    allowed_ = 1;
    trials_ = 0;
    state_.store(State::Trying, std::memory_order_release);
  }
  const bool trial = state() == State::Trying;
  const bool waits = trials_ >= allowed_ && now - last_trial_ < kTrialPatience;
  if (trial && waits) return {false, false, kTrialWait, limit_};
  if (trial) {
    ++trials_;
    last_trial_ = now;
  }
  calls_.fetch_add(1, std::memory_order_relaxed);
  return {.goes = true, .trial = trial};
}

bool Breaker::admits(Monotonic now) const {
  if (state() == State::Closed) return true;
  const std::lock_guard guard(mutex_);
  if (state() == State::Open) return !unwell_ && now >= until_;
  return state() == State::Closed || trials_ < allowed_ || now - last_trial_ >= kTrialPatience;
}

void Breaker::succeeded(bool trial) {
  if (in_a_row_.load(std::memory_order_relaxed) != 0) in_a_row_.store(0, std::memory_order_relaxed);
  answering(trial);
}

void Breaker::answering(bool trial) {
  if (!trial) return;
  const std::lock_guard guard(mutex_);
  if (trials_ > 0) --trials_;
  if (state() != State::Trying) return;
  allowed_ *= 2;
  if (allowed_ < kFullyBack) return;
  relapses_ = 0;
  why_.clear();
  window_calls_ = calls();
  window_failures_ = 0;
  state_.store(State::Closed, std::memory_order_release);
}

void Breaker::undecided(bool trial) {
  if (!trial) return;
  const std::lock_guard guard(mutex_);
  if (trials_ > 0) --trials_;
}

void Breaker::withdrawn(bool trial) {
  calls_.fetch_sub(1, std::memory_order_relaxed);
  undecided(trial);
}

void Breaker::open(Monotonic until, std::string_view why) {
  if (state() != State::Open) opened_.fetch_add(1, std::memory_order_relaxed);
  until_ = std::max(until, until_);
  why_ = why;
  in_a_row_.store(0, std::memory_order_relaxed);
  state_.store(State::Open, std::memory_order_release);
}

// Counts one more failure of a closed one.
bool Breaker::too_many(Monotonic now, const BreakerSettings& settings) {
  if (now - window_began_ > kWindow) {
    window_began_ = now;
    window_calls_ = calls() - 1;
    window_failures_ = 0;
  }
  ++window_failures_;
  if (settings.failures == 0) return false;
  if (in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 >= settings.failures) return true;
  const auto lately = calls() - window_calls_;
  return lately >= kFewCalls && static_cast<double>(window_failures_) >=
                                    settings.failure_rate * static_cast<double>(lately);
}

void Breaker::failed(bool trial, Monotonic now, std::string_view why,
                     const BreakerSettings& settings) {
  const std::lock_guard guard(mutex_);
  if (trial && trials_ > 0) --trials_;
  note_failure(trial, now, why, settings);
}

void Breaker::broke_off(Monotonic now, std::string_view why, const BreakerSettings& settings) {
  const std::lock_guard guard(mutex_);
  note_failure(true, now, why, settings);
}

void Breaker::note_failure(bool trial, Monotonic now, std::string_view why,
                           const BreakerSettings& settings) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (state() == State::Closed) {
    if (!too_many(now, settings)) return;
  } else {
    // What began before it opened says nothing new.
    if (!trial || state() != State::Trying) return;
    ++relapses_;
  }
  limit_.reset();
  open(now + rest_after(relapses_, settings), why);
}

void Breaker::limited(bool trial, Monotonic now, const Error& error, milliseconds rest) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard guard(mutex_);
  if (trial && trials_ > 0) --trials_;
  limit_ = error;
  open(now + rest, error_code(error));
}

void Breaker::probed(bool well, Monotonic now, const BreakerSettings& settings) {
  const std::lock_guard guard(mutex_);
  if (!well) {
    unwell_ = true;
    limit_.reset();
    return open(now + settings.rest, "probe_failed");
  }
  if (!std::exchange(unwell_, false)) return;
  until_ = now;
}

milliseconds Breaker::rest_left(Monotonic now) const {
  const std::lock_guard guard(mutex_);
  return state() == State::Open ? until(until_, now) : milliseconds(0);
}

std::string Breaker::why() const {
  const std::lock_guard guard(mutex_);
  return why_;
}

}  // namespace causeway::routing
