// How often targets may be asked again: a share of the requests that they get, so that retries do
// not finish off a provider that is down (Google SRE book, "Handling Overload"; the token bucket is
// Finagle's). One per loop.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "platform/base/clock.h"

namespace causeway::exchange {

class RetryBudget {
 public:
  /// A request goes to this target (Target::member_key) for the first time.
  void asked(std::uint64_t target, double share, Monotonic now);
  /// Takes one retry from the budget; false: it is used up.
  bool take(std::uint64_t target, Monotonic now);

 private:
  struct Bucket {
    double retries = 0;
    Monotonic filled{};
  };
  Bucket& bucket(std::uint64_t target, Monotonic now);
  std::unordered_map<std::uint64_t, Bucket> buckets_;  // at most kMost
};

}  // namespace causeway::exchange
