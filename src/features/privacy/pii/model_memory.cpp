#include "features/privacy/pii/model_memory.h"

#include "features/privacy/pii/model_reader.h"

namespace causeway::pii {

bool ModelMemory::find(const Key& key, std::vector<Finding>& out) {
  const std::lock_guard lock(mutex_);
  auto at = young_.find(key);
  if (at == young_.end()) {
    const auto older = old_.find(key);
    if (older == old_.end()) return false;
    std::vector<Found> found = std::move(older->second);
    old_.erase(older);
    put(key, std::move(found));
    at = young_.find(key);
  }
  out.clear();
  for (const Found& one : at->second) {
    out.push_back({one.begin, one.end, one.kind, one.confidence, kModelRule});
  }
  return true;
}

void ModelMemory::keep(const Key& key, std::span<const Finding> found) {
  std::vector<Found> kept;
  kept.reserve(found.size());
  for (const Finding& one : found) {
    kept.push_back({static_cast<std::uint16_t>(one.begin), static_cast<std::uint16_t>(one.end),
                    one.kind, one.confidence});
  }
  const std::lock_guard lock(mutex_);
  put(key, std::move(kept));
}

void ModelMemory::put(const Key& key, std::vector<Found> found) {
  if (young_.size() >= most_) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert_or_assign(key, std::move(found));
}

}  // namespace causeway::pii
