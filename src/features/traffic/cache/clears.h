// What was cleared on any replica, as far as it was heard of here. Redis numbers all clears; an
// answer that lies there says which one its maker had last heard of. Who knows of a later one that
// takes it in does not give it: no clock is asked, and it does not matter when it was laid there.
// Safe from any thread.
#pragma once

#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "features/traffic/cache/shared_seal.h"

namespace causeway::cache {

class Clears {
 public:
  static constexpr std::size_t kMost =
      1000;  // as Redis keeps; what is older than these is not given

  struct Clear {
    Mark at;
    std::string tenant, model;  // empty = of all
  };
  /// In the order of their marks; what was heard before changes nothing. False then.
  bool hear(Clear clear);
  /// One that is none of ours, or cannot be read: only its place is known.
  void pass_by(const Mark& mark);
  /// All clears up to here are known.
  Mark heard() const;

  /// Calls `act`, unless a clear later than `made_after` takes in this tenant and model; true then.
  /// hear() waits for it: what `act` puts somewhere is there before that clear is carried out.
  template <class Act>
  bool unless_cleared(const Mark& made_after, std::string_view tenant, std::string_view model,
                      Act&& act) const {
    const std::shared_lock lock(mutex_);
    if (cleared(made_after, tenant, model)) return false;
    act();
    return true;
  }

 private:
  bool cleared(const Mark& after, std::string_view tenant, std::string_view model) const;

  mutable std::shared_mutex mutex_;
  std::deque<Clear> clears_;  // the last one behind
  Mark heard_, forgotten_;    // of those up to here it is not known what they cleared
};

}  // namespace causeway::cache
