// Whether a target may be asked now (a circuit breaker, as in M. Nygard, "Release It!"):
// Closed: freely. Open: not at all, until its rest is over; each relapse doubles the rest.
// Trying: a few calls at a time, twice as many with each success, until all may come (slow start).
// A provider that says how long it wants to be left alone rests for that long.
// Safe from any thread; while it is closed and calls succeed, no lock is taken.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace causeway::routing {

struct BreakerSettings {
  std::uint32_t failures = 5;  // in a row that open it; 0 = it opens for failed probes alone
  double failure_rate = 0.5;   // the same, of all calls within 10 s, where these are 20 or more
  std::chrono::milliseconds rest{2'000};  // the first one
  std::chrono::milliseconds longest_rest{60'000};
};

class Breaker {
 public:
  enum class State : std::uint8_t { Closed, Open, Trying };

  /// What admit() says.
  struct Admission {
    bool goes = false;
    bool trial = false;                 // to be told to the call's end
    std::chrono::milliseconds wait{0};  // until it is worth asking again, where it does not go
    std::optional<Error> limit{};       // what its provider said, where it wants to be left alone
  };

  /// Each call that goes must be told the end of: one of succeeded(), failed(), broke_off(),
  /// undecided().
  Admission admit(Monotonic now);
  /// The same without taking a place: whether a call would go now.
  bool admits(Monotonic now) const;

  void succeeded(bool trial);
  /// Its answer has begun: a trial is over, and twice as many may follow.
  void answering(bool trial);
  void failed(bool trial, Monotonic now, std::string_view why, const BreakerSettings& settings);
  /// A trial failed whose answer had begun: to begin well is not to be well.
  void broke_off(Monotonic now, std::string_view why, const BreakerSettings& settings);
  /// The provider wants to be left alone for so long: counts at once.
  void limited(bool trial, Monotonic now, const Error& error, std::chrono::milliseconds rest);
  /// It ended without saying anything of the target: the caller left, the request was wrong.
  void undecided(bool trial);
  /// It did not go after all: as if it had not been asked.
  void withdrawn(bool trial);
  /// From outside: it is not well, or it is again (then calls are tried at once).
  void probed(bool well, Monotonic now, const BreakerSettings& settings);

  State state() const { return state_.load(std::memory_order_acquire); }
  /// Still to go of an open one's rest.
  std::chrono::milliseconds rest_left(Monotonic now) const;
  std::string why() const;
  std::uint32_t failures_in_a_row() const { return in_a_row_.load(std::memory_order_relaxed); }
  std::uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  std::uint64_t opened() const { return opened_.load(std::memory_order_relaxed); }

 private:
  void open(Monotonic until, std::string_view why);
  bool too_many(Monotonic now, const BreakerSettings& settings);
  void note_failure(bool trial, Monotonic now, std::string_view why,
                    const BreakerSettings& settings);

  std::atomic<State> state_{State::Closed};
  std::atomic<std::uint32_t> in_a_row_{0};
  std::atomic<std::uint64_t> calls_{0}, failures_{0}, opened_{0};
  mutable std::mutex mutex_;                // of what follows, and of every change of state_
  Monotonic until_{};                       // of Open
  std::uint32_t allowed_ = 0, trials_ = 0;  // of Trying: at once; under way
  Monotonic last_trial_{};                  // began
  std::uint32_t relapses_ = 0;
  Monotonic window_began_{};
  std::uint64_t window_calls_ = 0, window_failures_ = 0;
  std::optional<Error> limit_;  // where it was opened by the provider's own word
  bool unwell_ = false;         // a probe said so: stays open until one says otherwise
  std::string why_;
};

std::string_view to_string(Breaker::State state);

}  // namespace causeway::routing
