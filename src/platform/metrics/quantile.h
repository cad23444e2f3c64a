// A quantile of what a histogram counted, as Prometheus' histogram_quantile() tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace causeway::metrics {

/// `counts` has a place more than `bounds`, for what lies above all of them, and is not cumulated.
/// Within a bucket the observations are taken to lie evenly, from 0 in the first one where its
/// bound is above 0; what lies above all bounds counts as the last of them. Nothing where nothing
/// was counted. `q` from 0 to 1.
std::optional<double> quantile(double q, std::span<const double> bounds,
                               std::span<const std::uint64_t> counts);

}  // namespace causeway::metrics
