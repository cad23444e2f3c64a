// The states of the targets that one loop has met, found without a lock. Each loop has its own.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "features/traffic/routing/target_states.h"

namespace causeway::routing {

class LoopStates {
 public:
  explicit LoopStates(TargetStates& all) : all_(all) {}
  /// Null for targets that are too many to be watched.
  TargetState* of(const Target& target) {
    const auto found = known_.find(target.member_key);
    if (found != known_.end()) return found->second;
    TargetState* state = all_.of(target);
    if (state && state->key() == target.member_key) known_.emplace(target.member_key, state);
    return state;
  }
  Quota* quota_of(const Target& target) {
    const auto found = quotas_.find(target.quota_key);
    if (found != quotas_.end()) return found->second;
    Quota* quota = all_.quota_of(target);
    if (quota) quotas_.emplace(target.quota_key, quota);
    return quota;
  }
  TargetStates& all() const { return all_; }

 private:
  TargetStates& all_;
  // No more than TargetStates::kMost of each.
  std::unordered_map<std::uint64_t, TargetState*> known_;
  std::unordered_map<std::uint64_t, Quota*> quotas_;
};

}  // namespace causeway::routing
