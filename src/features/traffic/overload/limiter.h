// How many requests a model can do at once, learnt from how long its answers take.
//
// The idea is TCP Vegas' (Brakmo and Peterson, 1995), which Netflix's concurrency-limits took over
// for servers: what takes longer than it does with little to do was spent in a queue. By Little's
// law a server that had N requests, each of which waited as long as it was worked on, works on N /
// 2 at once. There is no limit until a queue has been seen.
//
// Like is compared with like: answers of one kind (a stream's first word, or a whole answer of so
// many tokens; by the prompt's length) with answers of the same kind while there was little to do.
// Long answers are no queue, but a queue spares nobody: the fastest quarter of a window decides. A
// window is of requests that began one after another, not of answers that ended so, among which
// those of a burst come sorted by how long they took.
//
// What is usual is measured anew from time to time (Envoy's minRTT): while the limit is in use for
// long, or has fallen far, half of it is kept free for a moment. A server that got slower for
// everybody is told from a queue by that alone. For one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "features/traffic/overload/usual.h"
#include "platform/base/clock.h"

namespace causeway::overload {

class Limiter {
 public:
  struct Bounds {
    double least = 4, most = 100'000;
    double slower = 1.07;
  };
  /// One request, as it was when it began.
  struct Start {
    std::uint64_t number = 0;
    std::uint64_t light = 0;      // 0 = there was more than little to do
    std::uint32_t in_flight = 0;  // with itself
    Monotonic at{};
  };
  /// Answers that are alike have the same kind. `factor` makes whole answers of one kind as long.
  struct Kind {
    std::uint32_t index = 0;
    float factor = 1;
  };
  static Kind kind_of(bool streamed, std::size_t request_bytes, std::uint64_t tokens);
  /// A delay below this is the network's or our own.
  static constexpr std::chrono::milliseconds kSlack{5};

  Start started(std::uint32_t in_flight, Monotonic now, const Bounds& bounds);
  /// Somebody has to wait.
  void wanted(Monotonic now, const Bounds& bounds);
  /// It is over, and its answer took so long: a stream's to the first word.
  void answered(const Start& start, Kind kind, std::chrono::nanoseconds took, Monotonic now,
                const Bounds& bounds);
  /// The model had no room, or no answer in time.
  void refused(const Start& start, Monotonic now, const Bounds& bounds);

  double limit(const Bounds& bounds) const {
    const double limit = limit_ <= 0 || limit_ > bounds.most ? bounds.most : limit_;
    return limit < bounds.least ? bounds.least : limit;
  }
  /// Whether there is a limit: known, or learnt since too much was asked.
  bool limits(const Bounds& bounds) const { return limit_ > 0 || bounds.least >= bounds.most; }
  /// What is usual is measured: half of the limit should be free.
  bool measuring() const { return measuring_; }

 private:
  struct Sample {
    Kinds::Time time;
    float factor;
    std::uint32_t in_flight;
  };
  // Of requests that began one after another.
  struct Window {
    std::vector<Sample> samples;
    std::uint64_t from = 0;
    Monotonic begun{}, full{}, due = Monotonic::max();
    std::uint32_t answers = 0, answers_before = 0;  // of anybody, since it was full; before
  };
  // What a window says.
  struct Seen {
    bool slow = false;
    std::size_t fast = 0;  // no later than the fastest quarter usually is
    double in_flight = 0, ratio = 0, late = 0;
  };
  static constexpr std::size_t kWindow = 32, kEnough = 30, kQuarter = kWindow / 4;
  static constexpr std::size_t kLight = 16, kLightEnough = 15;

  void light(const Start& start, const Kinds::Time& time, Monotonic now, const Bounds& bounds);
  void window_full(Monotonic now);
  void scale(double by);
  void begin_window(Monotonic now);
  void window_due(Monotonic now, const Bounds& bounds);
  void end_window(Monotonic now, const Bounds& bounds);
  Seen look(const Bounds& bounds);
  double worked_on(Monotonic now) const;
  void grow(Monotonic now, const Bounds& bounds);
  void count(Monotonic now);
  void lower(double to, Monotonic now, const Bounds& bounds);

  double limit_ = 0;  // 0 = none
  Kinds kinds_;
  double held_ = 0, held_seen_ = 0;  // seconds that a request takes in all, without any queue
  std::uint64_t started_ = 0, light_started_ = 0, light_from_ = 1;
  Window window_;
  double answers_ = 0;  // a second, the most lately
  double starts_ = 0;   // a second in the window before
  std::vector<Kinds::Time> light_;
  bool wanted_ = false;     // somebody had to wait in this window
  bool suspected_ = false;  // the last window may have been too slow
  double pause_ = 0;        // seconds from a lowered limit until it may grow again
  Monotonic pause_until_{};
  double step_ = 0, lowered_to_ = 0;
  bool measuring_ = false;
  Monotonic measured_{}, measuring_until_{};
  double measured_limit_ = 0;  // what it was then
  struct Second {
    Monotonic begun{};
    std::uint32_t refused = 0, answered = 0;
    bool lowered = false;
  };
  Second second_, before_;
};

}  // namespace causeway::overload
