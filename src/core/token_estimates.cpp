#include "core/token_estimates.h"

#include <algorithm>

namespace causeway {
namespace {

constexpr double kUsual = 4;                // bytes of a token
constexpr double kLeast = 0.5, kMost = 16;  // beyond these something else was counted
constexpr double kWeight = 0.1;             // of the newest report in the moving average
constexpr std::uint64_t kFewest = 32;       // tokens that teach something

}  // namespace

double TokenEstimates::bytes_per_token(std::uint64_t target) const {
  const Learnt& place = learnt_[target % kPlaces];
  const double known = place.bytes_per_token.load(std::memory_order_relaxed);
  return place.target.load(std::memory_order_relaxed) == target && known > 0 ? known : kUsual;
}

std::uint32_t TokenEstimates::tokens(std::uint64_t target, std::uint64_t bytes) const {
  const double count = static_cast<double>(bytes) / bytes_per_token(target) + 1;
  return static_cast<std::uint32_t>(std::min(count, 4e9));
}

void TokenEstimates::learn(std::uint64_t target, std::uint64_t bytes, std::uint64_t tokens) {
  if (tokens < kFewest) return;
  const double seen = static_cast<double>(bytes) / static_cast<double>(tokens);
  if (seen < kLeast || seen > kMost) return;
  Learnt& place = learnt_[target % kPlaces];
  const double known = place.bytes_per_token.load(std::memory_order_relaxed);
  const bool same = place.target.load(std::memory_order_relaxed) == target && known > 0;
  place.bytes_per_token.store(same ? known + kWeight * (seen - known) : seen,
                              std::memory_order_relaxed);
  place.target.store(target, std::memory_order_relaxed);
}

}  // namespace causeway
