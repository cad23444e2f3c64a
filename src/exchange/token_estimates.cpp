#include "exchange/token_estimates.h"

#include <algorithm>

namespace causeway::exchange {
namespace {

constexpr double kUsual = 4;                // bytes of a token
constexpr double kLeast = 0.5, kMost = 16;  // beyond these something else was counted
constexpr double kWeight = 0.1;             // of the newest report in the moving average
constexpr std::uint64_t kFewest = 32;       // tokens that teach something

}  // namespace

double TokenEstimates::bytes_per_token(std::uint64_t target) const {
  const Learnt& known = learnt_[target % kPlaces];
  return known.target == target && known.bytes_per_token > 0 ? known.bytes_per_token : kUsual;
}

std::uint32_t TokenEstimates::tokens(std::uint64_t target, std::uint64_t bytes) const {
  const double count = static_cast<double>(bytes) / bytes_per_token(target) + 1;
  return static_cast<std::uint32_t>(std::min(count, 4e9));
}

void TokenEstimates::learn(std::uint64_t target, std::uint64_t bytes, std::uint64_t tokens) {
  if (tokens < kFewest) return;
  const double seen = static_cast<double>(bytes) / static_cast<double>(tokens);
  if (seen < kLeast || seen > kMost) return;
  Learnt& known = learnt_[target % kPlaces];
  if (known.target == target && known.bytes_per_token > 0) {
    known.bytes_per_token += kWeight * (seen - known.bytes_per_token);
  } else {
    known = {target, seen};
  }
}

}  // namespace causeway::exchange
