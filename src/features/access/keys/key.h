// An API key as the program knows it: whose it is, what it may do, how long. The secret itself is
// never kept; of its text there is an HMAC under the pepper and the last four characters.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/principal.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/crypto/hash.h"

namespace causeway::keys {

enum class KeyKind : std::uint8_t {
  Application,    // the data port
  Admin,          // the admin port, everything
  AdminReadOnly,  // the admin port, without changes
};
std::string_view to_text(KeyKind kind);  // "application", "admin", "admin_read_only"
std::optional<KeyKind> kind_from_text(std::string_view text);

/// One secret of a key. During the grace time of a rotation a key has two.
struct KeySecret {
  crypto::Digest hmac{};
  std::string last4;
  Wall created{};
  std::optional<Wall> ends;  // no longer valid from then on
};

/// When a request last came with a key. All loops share it and write it at most once a second each,
/// so that looking a key up stays a read.
class LastUse {
 public:
  void note(Wall now) {
    const std::int64_t second = seconds_of(now);
    if (second_.load(std::memory_order_relaxed) < second) {
      second_.store(second, std::memory_order_relaxed);
    }
  }
  /// To the second; nothing = never.
  std::optional<Wall> get() const {
    const std::int64_t second = second_.load(std::memory_order_relaxed);
    return second > 0 ? std::optional(Wall(std::chrono::seconds(second))) : std::nullopt;
  }

 private:
  static std::int64_t seconds_of(Wall time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  }
  std::atomic<std::int64_t> second_{0};  // since 1970
};

struct KeyRecord {
  Principal principal;  // key_id, key_name, tenant, user, roles, attributes, models
  KeyKind kind = KeyKind::Application;
  Wall created{};
  std::optional<Wall> expires;
  std::optional<Wall> revoked;
  bool from_config = false;
  std::vector<KeySecret> secrets;  // the newest first
  // One for all versions of a record: the next one is made while loops still use this one.
  std::shared_ptr<LastUse> last_use = std::make_shared<LastUse>();
};

/// What an administrator gives for a new key.
struct NewKey {
  std::string name;
  std::string tenant = "default";
  std::string user;
  std::vector<std::string> roles;
  std::map<std::string, std::string, std::less<>> attributes;
  std::vector<std::string> models = {"*"};
  KeyKind kind = KeyKind::Application;
  std::optional<Wall> expires;
};

/// A key of the config: the same with the secret that the user chose, of any form.
struct ConfigKey {
  NewKey key;
  Secret secret;
};

/// Whether the values are fit to be kept: name 1 to 100 characters, tenant 1 to 64, at most 32
/// roles and attributes, 100 model patterns, no control characters. The error names the field.
Result<void> check(const NewKey& key);

/// What the running program calls the keys that it makes for the verbs of its machine.
inline constexpr std::string_view kOwnKey = "causeway-cli";
inline constexpr std::string_view kOwnAdminKey = "causeway-cli-admin";
inline bool is_own_key(std::string_view name) { return name == kOwnKey || name == kOwnAdminKey; }

/// A secret from the config needs at least this many characters.
constexpr std::size_t kLeastSecretCharacters = 16;

/// "cw-" + id + "-" + 43 base62 characters (256 random bits): the prefix is there for scanners that
/// look for leaked keys.
Secret make_key_text(std::string_view id);
/// 16 base32 characters, 80 random bits: never given twice.
std::string make_key_id();
std::string last_four(std::string_view text);

}  // namespace causeway::keys
