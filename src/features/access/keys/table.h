// Looking a key up on the request path: an immutable table, shared by all loops, and each loop's
// own view of it. The first look-up of a key costs an HMAC, further ones a SipHash, by which the
// loop remembers what it found; none takes a lock or counts a shared reference. What is found stays
// as long as the lease, also when a new table comes. No key is kept in clear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "features/access/keys/key.h"
#include "platform/base/clock.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/siphash.h"

namespace causeway::keys {

class KeyTable {
 public:
  explicit KeyTable(std::vector<std::shared_ptr<const KeyRecord>> records);

  struct Entry {
    const KeyRecord* record = nullptr;
    const KeySecret* secret = nullptr;
  };
  /// record = nullptr where no secret has this HMAC.
  Entry find(const crypto::Digest& hmac) const;
  const std::vector<std::shared_ptr<const KeyRecord>>& records() const { return records_; }

 private:
  std::vector<std::shared_ptr<const KeyRecord>> records_;
  std::vector<Entry> slots_;  // open addressing, at most half full, by the HMAC's first bytes
};

enum class KeyState : std::uint8_t { Valid, Unknown, Expired, Revoked, Replaced };

/// One loop's view. Belongs to the loop's thread.
class LoopKeys {
  struct Generation {
    std::shared_ptr<const KeyTable> table;
    std::uint32_t leases = 0;
  };

 public:
  /// Holds a found record in place. Give it back on the same loop, before the LoopKeys goes.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : keys_(std::exchange(other.keys_, nullptr)), in_(other.in_), record_(other.record_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(keys_, other.keys_);
      std::swap(in_, other.in_);
      std::swap(record_, other.record_);
      return *this;
    }
    ~Lease() { reset(); }
    void reset() {
      if (auto* keys = std::exchange(keys_, nullptr)) keys->release(in_);
    }
    explicit operator bool() const { return keys_ != nullptr; }
    const KeyRecord& operator*() const { return *record_; }
    const KeyRecord* operator->() const { return record_; }

   private:
    friend class LoopKeys;
    LoopKeys* keys_ = nullptr;
    std::list<Generation>::iterator in_;
    const KeyRecord* record_ = nullptr;
  };

  struct Found {
    KeyState state = KeyState::Unknown;
    Lease lease;  // for Valid only
  };

  LoopKeys(crypto::Hmac hmac, std::shared_ptr<const KeyTable> table);

  /// `presented` as the caller sent it, without "Bearer ".
  Found find(std::string_view presented, Wall now);
  /// By what digest() gave for it: so a key is found again that nobody has kept.
  Found find(const crypto::Digest& digest, Wall now);
  crypto::Digest digest(std::string_view presented) const { return hmac_(presented); }
  /// From now on this table. Older ones go when their last lease does.
  void adopt(std::shared_ptr<const KeyTable> table);
  std::size_t tables_held() const { return generations_.size(); }

 private:
  struct Known {
    crypto::SipTag tag{};
    KeyTable::Entry entry;
  };
  static constexpr std::size_t kKnown =
      1024;  // a power of two; where two share a place the last stays

  KeyTable::Entry look_up(std::string_view presented);
  Found lease(const KeyTable::Entry& entry, Wall now);
  void release(std::list<Generation>::iterator generation);

  crypto::Hmac hmac_;
  crypto::SipHash sip_;
  std::vector<Known> known_;           // of the current table
  std::list<Generation> generations_;  // the current one last
};

}  // namespace causeway::keys
