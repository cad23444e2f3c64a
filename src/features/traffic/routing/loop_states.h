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
    if (state) known_.emplace(target.member_key, state);
    return state;
  }
  TargetStates& all() { return all_; }

 private:
  TargetStates& all_;
  std::unordered_map<std::uint64_t, TargetState*> known_;  // no more than TargetStates::kMost
};

}  // namespace causeway::routing
