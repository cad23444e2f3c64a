// How long to wait before a child that ended by itself is started again: doubling, with jitter,
// capped, and forgotten once a child has been stable for a while.
#pragma once

#include <chrono>
#include <functional>

namespace causeway::engine {

class Backoff {
 public:
  struct Settings {
    std::chrono::milliseconds first{500};
    std::chrono::milliseconds longest{60'000};
    std::chrono::milliseconds stable_after{60'000};  // a run of this length resets the pause
    double jitter = 0.2;                             // the pause is spread by this part, both ways
  };

  /// `random` gives numbers in [0, 1).
  Backoff(Settings settings, std::function<double()> random);

  /// A child ended after having been ready for `ran` (0 = never ready): the pause before the next.
  std::chrono::milliseconds next(std::chrono::milliseconds ran);
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  Settings settings_;
  std::function<double()> random_;
  unsigned failures_ = 0;
};

}  // namespace causeway::engine
