#include "features/access/keys/table.h"

#include <bit>
#include <cstring>

#include "platform/base/secret.h"

namespace causeway::keys {
namespace {

// No longer text is a key; hashing megabytes of a header is nobody's right.
constexpr std::size_t kMostCharacters = 1024;

std::size_t place(const crypto::Digest& hmac, std::size_t slots) {
  std::uint64_t first;
  std::memcpy(&first, hmac.data(), sizeof first);
  return first & (slots - 1);
}

KeyState state_of(const KeyRecord& record, const KeySecret& secret, Wall now) {
  if (record.revoked) return KeyState::Revoked;
  if (record.expires && *record.expires <= now) return KeyState::Expired;
  if (secret.ends && *secret.ends <= now) return KeyState::Replaced;
  return KeyState::Valid;
}

}  // namespace

KeyTable::KeyTable(std::vector<std::shared_ptr<const KeyRecord>> records)
    : records_(std::move(records)) {
  std::size_t count = 0;
  for (const auto& record : records_) count += record->secrets.size();
  slots_.resize(std::bit_ceil(count * 2 + 1));
  for (const auto& record : records_) {
    for (const KeySecret& secret : record->secrets) {
      std::size_t at = place(secret.hmac, slots_.size());
      while (slots_[at].record) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {record.get(), &secret};
    }
  }
}

// An attacker cannot choose the HMAC of what he sends, so the probe tells him nothing; the 32 bytes
// are compared in constant time all the same.
KeyTable::Entry KeyTable::find(const crypto::Digest& hmac) const {
  std::size_t at = place(hmac, slots_.size());
  while (slots_[at].record) {
    if (equal_constant_time(crypto::view(slots_[at].secret->hmac), crypto::view(hmac))) {
      return slots_[at];
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  return {};
}

LoopKeys::LoopKeys(crypto::Hmac hmac, std::shared_ptr<const KeyTable> table)
    : hmac_(std::move(hmac)) {
  adopt(std::move(table));
}

LoopKeys::Found LoopKeys::find(std::string_view presented, Wall now) {
  if (presented.empty() || presented.size() > kMostCharacters) return {};
  return lease(look_up(presented), now);
}

LoopKeys::Found LoopKeys::find(const crypto::Digest& digest, Wall now) {
  return lease(generations_.back().table->find(digest), now);
}

LoopKeys::Found LoopKeys::lease(const KeyTable::Entry& entry, Wall now) {
  Found found;
  if (!entry.record) return found;
  const auto current = std::prev(generations_.end());
  found.state = state_of(*entry.record, *entry.secret, now);
  if (found.state != KeyState::Valid) return found;
  ++current->leases;
  found.lease.keys_ = this;
  found.lease.in_ = current;
  found.lease.record_ = entry.record;
  return found;
}

// Only keys that exist are remembered: guesses push nobody out.
KeyTable::Entry LoopKeys::look_up(std::string_view presented) {
  const crypto::SipTag tag = sip_(presented);
  Known& known = known_[tag[0] & (kKnown - 1)];
  if (known.entry.record && known.tag == tag) return known.entry;
  const KeyTable::Entry entry = generations_.back().table->find(hmac_(presented));
  if (entry.record) known = {tag, entry};
  return entry;
}

void LoopKeys::adopt(std::shared_ptr<const KeyTable> table) {
  if (!generations_.empty() && generations_.back().leases == 0) generations_.pop_back();
  generations_.push_back({std::move(table), 0});
  known_.assign(kKnown, {});
}

void LoopKeys::release(std::list<Generation>::iterator generation) {
  const bool current = generation == std::prev(generations_.end());
  if (--generation->leases == 0 && !current) generations_.erase(generation);
}

}  // namespace causeway::keys
