// What the names model found in chunks of text, by a keyed hash of their words: the history that
// each request of a conversation brings along is looked at once. Bounded; of the words nothing is
// kept.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/privacy/pii/detector.h"
#include "platform/crypto/siphash.h"

namespace causeway::pii {

class ModelMemory {
 public:
  /// Chunks of a generation; two are kept, the older one without what was not asked for since.
  explicit ModelMemory(std::size_t most = 8192) : most_(most) {}

  using Key = crypto::SipTag;
  Key key_of(std::string_view chunk) const { return hash_(chunk); }

  /// Whether the chunk is known: then `out` is what was found in it. From any thread.
  bool find(const Key& key, std::vector<Finding>& out);
  void keep(const Key& key, std::span<const Finding> found);

 private:
  struct Found {
    std::uint16_t begin, end;
    Kind kind;
    float confidence;
  };
  struct HashOfKey {
    std::size_t operator()(const Key& key) const { return key[0]; }
  };
  using Generation = std::unordered_map<Key, std::vector<Found>, HashOfKey>;
  void put(const Key& key, std::vector<Found> found);

  const crypto::SipHash hash_;
  const std::size_t most_;
  std::mutex mutex_;
  Generation young_, old_;
};

}  // namespace causeway::pii
