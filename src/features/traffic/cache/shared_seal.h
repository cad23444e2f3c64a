// How an answer lies in Redis: under a name that tells nobody whose it is or what was asked, and
// sealed with AES-256-GCM. All keys come from `shared_state.key` by HKDF-SHA256, one for names and
// one for each tenant's answers; what is sealed is bound to its version and to the key of its
// request, so that it opens nowhere else.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "features/traffic/cache/key.h"
#include "features/traffic/cache/memory.h"
#include "platform/base/secret.h"
#include "platform/crypto/hash.h"

namespace causeway::cache {

/// A place among all clears that there were: the id that Redis gave it, by its own clock and never
/// twice.
struct Mark {
  std::uint64_t ms = 0, number = 0;
  auto operator<=>(const Mark&) const = default;
  std::string text() const;  // "1700000000000-0"
};
/// Nothing for what is no such id.
std::optional<Mark> read_mark(std::string_view text);

/// A copy is cheap; each belongs to one thread at a time.
class SharedSeal {
 public:
  static constexpr std::string_view kClears = "causeway:cache:clears";
  /// Of what is sealed. A connection to Redis carries limits as well, which must not wait for long.
  static constexpr std::size_t kMostBytes = 256 * 1024;

  explicit SharedSeal(const Secret& key);

  /// causeway:cache:TENANT:MODEL:REQUEST, each a digest.
  std::string name(std::string_view tenant, std::string_view model, const Key& key) const;
  /// Of all names of this tenant and model; empty = of any.
  std::string pattern(std::string_view tenant, std::string_view model) const;

  /// `heard`: the last clear that whoever made it knew of. Empty where it would be too large.
  std::string seal(const Key& key, const Kept& kept, const Mark& heard) const;
  struct Opened {
    std::shared_ptr<Kept> kept;
    Mark heard;
  };
  /// Nothing where it is not what seal() gave for this tenant and key.
  std::optional<Opened> open(std::string_view tenant, std::string_view model, const Key& key,
                             std::string_view sealed) const;

  /// What is to be cleared, for the other replicas.
  std::string seal_clear(std::string_view tenant, std::string_view model) const;
  std::optional<std::pair<std::string, std::string>> open_clear(std::string_view sealed) const;

 private:
  Secret key_of_tenant(std::string_view tenant) const;
  std::string digest(char what, std::string_view text, std::size_t bytes) const;

  Secret key_;
  crypto::Hmac names_;
  Secret clears_;
};

}  // namespace causeway::cache
