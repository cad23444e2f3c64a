#include "features/traffic/cache/clears.h"

#include <utility>

namespace causeway::cache {

bool Clears::hear(Clear clear) {
  const std::unique_lock lock(mutex_);
  if (clear.at <= heard_) return false;
  heard_ = clear.at;
  clears_.push_back(std::move(clear));
  // Redis, too, may have forgotten those before the first of so many.
  while (clears_.size() >= kMost) {
    forgotten_ = clears_.front().at;
    clears_.pop_front();
  }
  return true;
}

void Clears::pass_by(const Mark& mark) {
  const std::unique_lock lock(mutex_);
  if (mark > heard_) heard_ = mark;
}

Mark Clears::heard() const {
  const std::shared_lock lock(mutex_);
  return heard_;
}

bool Clears::cleared(const Mark& after, std::string_view tenant, std::string_view model) const {
  if (after < forgotten_) return true;
  for (auto clear = clears_.rbegin(); clear != clears_.rend() && clear->at > after; ++clear) {
    const bool this_tenant = clear->tenant.empty() || clear->tenant == tenant;
    if (this_tenant && (clear->model.empty() || clear->model == model)) return true;
  }
  return false;
}

}  // namespace causeway::cache
