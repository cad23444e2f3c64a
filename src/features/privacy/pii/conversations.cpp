#include "features/privacy/pii/conversations.h"

namespace causeway::pii {

std::shared_ptr<StandIns> Conversations::find(std::string_view owner, std::string_view name) {
  std::string key(owner);
  key += '\0';
  key += name;
  const Monotonic now = clock_.now();
  std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    Entry& entry = *found->second;
    entry.used = now;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return entry.stand_ins;
  }
  by_use_.push_front({std::move(key), std::make_shared<StandIns>(bytes_), now});
  by_key_.emplace(by_use_.front().key, by_use_.begin());
  return by_use_.front().stand_ins;
}

// Where a request still uses what is forgotten here, its bytes count until it ends.
void Conversations::forget_old(Monotonic now) {
  while (!by_use_.empty()) {
    const Entry& oldest = by_use_.back();
    const bool too_many = by_use_.size() >= kMost || *bytes_ > kMostBytes;
    if (!too_many && now - oldest.used < kIdle) return;
    by_key_.erase(oldest.key);
    by_use_.pop_back();
  }
}

std::size_t Conversations::size() const {
  std::lock_guard lock(mutex_);
  return by_use_.size();
}

}  // namespace causeway::pii
