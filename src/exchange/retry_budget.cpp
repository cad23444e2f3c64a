#include "exchange/retry_budget.h"

#include <algorithm>

namespace causeway::exchange {
namespace {

constexpr std::size_t kMost = 4096;
constexpr double kReserve = 3;      // for targets that are seldom asked; fills by itself,
constexpr double kPerSecond = 0.1;  // at this rate
constexpr double kCapacity = 50;    // what a quiet hour saves up is not spent in a bad second

}  // namespace

// Where too many targets are known (names that callers made up), all begin anew.
RetryBudget::Bucket& RetryBudget::bucket(std::uint64_t target, Monotonic now) {
  if (buckets_.size() >= kMost && !buckets_.contains(target)) buckets_.clear();
  auto [found, made] = buckets_.try_emplace(target, Bucket{kReserve, now});
  Bucket& bucket = found->second;
  if (bucket.retries < kReserve) {
    const auto seconds = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.retries = std::min(kReserve, bucket.retries + seconds * kPerSecond);
  }
  bucket.filled = now;
  return bucket;
}

void RetryBudget::asked(std::uint64_t target, double share, Monotonic now) {
  Bucket& found = bucket(target, now);
  found.retries = std::min(kCapacity, found.retries + share);
}

bool RetryBudget::take(std::uint64_t target, Monotonic now) {
  Bucket& found = bucket(target, now);
  if (found.retries < 1) return false;
  found.retries -= 1;
  return true;
}

}  // namespace causeway::exchange
