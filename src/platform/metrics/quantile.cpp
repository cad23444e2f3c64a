#include "platform/metrics/quantile.h"

namespace causeway::metrics {

std::optional<double> quantile(double q, std::span<const double> bounds,
                               std::span<const std::uint64_t> counts) {
  std::uint64_t total = 0;
  for (const auto count : counts) total += count;
  if (total == 0 || bounds.empty()) return std::nullopt;
  const double rank = q * static_cast<double>(total);
  double below = 0;
  std::size_t bucket = 0;
  while (bucket < bounds.size() && below + static_cast<double>(counts[bucket]) < rank) {
    below += static_cast<double>(counts[bucket++]);
  }
  if (bucket == bounds.size()) return bounds.back();
  const double upper = bounds[bucket];
  if (bucket == 0 && upper <= 0) return upper;
  const double lower = bucket == 0 ? 0 : bounds[bucket - 1];
  const auto inside = static_cast<double>(counts[bucket]);
  return inside == 0 ? lower : lower + (upper - lower) * (rank - below) / inside;
}

}  // namespace causeway::metrics
