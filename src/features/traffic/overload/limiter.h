// How many requests a model can do at once, learnt from how long it takes to begin its answers. The
// idea is TCP Vegas' (Brakmo and Peterson, 1995), which Netflix's concurrency-limits took over for
// servers: what comes later than the least time ever taken was spent in a queue. By Little's law a
// server that had N requests and took `ratio` times its least time works on N / ratio at once; that
// estimate holds for the request's own N, so that answers which were asked for before a change do
// not move the limit twice. For one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "platform/base/clock.h"

namespace causeway::overload {

class Limiter {
 public:
  struct Bounds {
    double least = 8, most = 1000;
    double slower = 1.15;
  };
  /// Answers that are alike: streamed or whole, and by the request's length.
  static constexpr std::size_t kKinds = 32;
  /// A delay below this is the network's or our own.
  static constexpr std::chrono::milliseconds kSlack{5};

  /// An answer began `took` after its request, which made it `in_flight` requests with itself.
  void answered(std::size_t kind, std::chrono::nanoseconds took, std::uint32_t in_flight,
                Monotonic now, const Bounds& bounds);
  /// The model had no room, or no answer in time.
  void refused(std::uint32_t in_flight, Monotonic now, const Bounds& bounds);

  /// Without bounds: everything, until a queue has been seen.
  double limit(const Bounds& bounds) const {
    return limit_ <= 0 || limit_ > bounds.most ? bounds.most
           : limit_ < bounds.least             ? bounds.least
                                               : limit_;
  }

 private:
  // The least time of one kind: what is less counts at once; what is more only where the model had
  // little to do, since else the queue would pass for the usual.
  struct Least {
    std::int64_t now = 0;    // nanoseconds, 0 = none yet
    std::int64_t light = 0;  // since `since`, with little to do
    Monotonic since{};
  };
  // Of a window. It holds as many answers as were under way, since those that were asked for
  // together end in the order of how long they took.
  static constexpr std::size_t kSamples = 32;
  struct Sample {
    float ratio, capacity;
  };
  double learn(Least& least, std::int64_t took, bool light, Monotonic now) const;
  void end_window(const Bounds& bounds);
  void count(std::int64_t least, Monotonic now, const Bounds& bounds);
  bool far_too_late(double ratio, std::uint32_t in_flight, const Bounds& bounds);

  double limit_ = 0;  // 0 = none
  std::array<Least, kKinds> least_{};
  std::array<Sample, kSamples> window_{};
  std::size_t size_ = 0;
  std::uint32_t skip_ = 0;  // answers until the next sample
  // Answers in a row that were far too late: that many at once are a queue, without waiting for
  // the window's end. A single fast one between them says that they are just long.
  std::uint32_t late_run_ = 0;
  double late_capacity_ = 0;  // their sum
  // Answers a second, while as many were under way as the limit lets, and the least limit that gave
  // nearly the best of them. Where less comes out since the limit was lowered, it was no queue that
  // made answers late.
  Monotonic counting_since_{}, best_at_{};
  std::uint32_t counted_ = 0;
  double rate_ = 0, best_rate_ = 0, best_limit_ = 0;
  bool used_ = false;  // in this window there were as many as the limit lets
  Monotonic refused_at_{};
};

}  // namespace causeway::overload
