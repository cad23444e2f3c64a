#include "engine/backoff.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace causeway::engine {

Backoff::Backoff(Settings settings, std::function<double()> random)
    : settings_(settings), random_(std::move(random)) {}

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds ran) {
  if (ran >= settings_.stable_after) failures_ = 0;
  // 2^20 is beyond any cap that makes sense and far from an overflow.
  const double doubled = std::ldexp(static_cast<double>(settings_.first.count()),
                                    static_cast<int>(std::min(failures_, 20U)));
  ++failures_;
  const double spread = 1 + settings_.jitter * (2 * random_() - 1);
  const double pause = std::min(doubled * spread, static_cast<double>(settings_.longest.count()));
  return std::chrono::milliseconds(static_cast<std::int64_t>(pause));
}

}  // namespace causeway::engine
