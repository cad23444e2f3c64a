// The part of the ring that remembers when keys were last used.
#include <algorithm>

#include "features/access/keys/ring.h"

namespace causeway::keys {

// A key of the config is a new record at each reload, and the same key.
void KeyRing::recall_use(KeyRecord& record) const {
  const std::string& id = record.principal.key_id;
  const auto before = std::ranges::find_if(
      configured_, [&id](const Record& other) { return other->principal.key_id == id; });
  if (before != configured_.end()) {
    record.last_use = (*before)->last_use;
  } else if (const auto kept = kept_uses_.find(id); kept != kept_uses_.end()) {
    record.last_use->note(kept->second);
  }
}

Result<void> KeyRing::keep_uses() {
  std::lock_guard lock(mutex_);
  rows::Uses news;
  for (const auto* list : {&stored_, &configured_}) {
    for (const Record& record : *list) {
      const std::string& id = record->principal.key_id;
      const auto used = record->last_use->get();
      const auto kept = kept_uses_.find(id);
      if (used && (kept == kept_uses_.end() || kept->second != *used)) news.emplace(id, *used);
    }
  }
  if (news.empty()) return {};
  auto written =
      store_.write_and_wait([&news](store::Database& db) { return rows::store_uses(db, news); });
  if (!written) return written;
  for (const auto& [id, time] : news) kept_uses_.insert_or_assign(id, time);
  return {};
}

}  // namespace causeway::keys
