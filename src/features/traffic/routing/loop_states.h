// The states of the targets that one loop has met, found without a lock. Each loop has its own.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "features/traffic/routing/target_states.h"

namespace causeway::routing {

class LoopStates {
 public:
  explicit LoopStates(TargetStates& all) : all_(all) {}
  /// Null for targets that are too many to be watched. Good until forget_gone(), and beyond it
  /// while the target has a call under way.
  TargetState* of(const Target& target) {
    const auto found = known_.find(target.member_key);
    if (found != known_.end()) return found->second.get();
    std::shared_ptr<TargetState> state = all_.of(target);
    if (state && state->key() == target.member_key) known_.emplace(target.member_key, state);
    return state.get();
  }
  Quota* quota_of(const Target& target) {
    const auto found = quotas_.find(target.quota_key);
    if (found != quotas_.end()) return found->second;
    Quota* quota = all_.quota_of(target);
    if (quota) quotas_.emplace(target.quota_key, quota);
    return quota;
  }
  TargetStates& all() const { return all_; }
  /// Lets go of what TargetStates::keep() has forgotten. Before a request's targets are looked at.
  void forget_gone() {
    const std::uint64_t now = all_.generation();
    if (std::exchange(generation_, now) == now) return;
    std::erase_if(known_, [](const auto& entry) { return entry.second->in_flight() == 0; });
  }

 private:
  TargetStates& all_;
  std::uint64_t generation_ = 0;
  // No more than TargetStates::kMost of each.
  std::unordered_map<std::uint64_t, std::shared_ptr<TargetState>> known_;
  std::unordered_map<std::uint64_t, Quota*> quotas_;
};

}  // namespace causeway::routing
