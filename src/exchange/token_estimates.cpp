#include "exchange/token_estimates.h"

#include <algorithm>

namespace causeway::exchange {
namespace {

constexpr double kUsual = 4;                // bytes of a token
constexpr double kLeast = 0.5, kMost = 16;  // beyond these something else was counted
constexpr double kWeight = 0.1;             // of the newest report in the moving average
constexpr std::uint64_t kFewest = 32;       // tokens that teach something

}  // namespace

double TokenEstimates::bytes_per_token(std::string_view target) const {
  const auto found = learnt_.find(target);
  return found == learnt_.end() ? kUsual : found->second;
}

std::uint32_t TokenEstimates::tokens(std::string_view target, std::uint64_t bytes) const {
  const double count = static_cast<double>(bytes) / bytes_per_token(target) + 1;
  return static_cast<std::uint32_t>(std::min(count, 4e9));
}

void TokenEstimates::learn(std::string_view target, std::uint64_t bytes, std::uint64_t tokens) {
  if (tokens < kFewest) return;
  const double seen = static_cast<double>(bytes) / static_cast<double>(tokens);
  if (seen < kLeast || seen > kMost) return;
  const auto found = learnt_.find(target);
  if (found != learnt_.end()) {
    found->second += kWeight * (seen - found->second);
    return;
  }
  if (learnt_.size() >= kMostTargets) learnt_.erase(learnt_.begin());
  learnt_.emplace(target, seen);
}

}  // namespace causeway::exchange
