// Who is signed in to the console. A browser holds a session's id in a cookie; here there is only
// its hash, with the digest of the key that opened it: the key is looked up again at each request,
// so that what it may do, and whether it still may, is always as the keys say. In memory alone: a
// restart ends all sessions. For one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/secret.h"
#include "platform/crypto/hash.h"

namespace causeway::sessions {

class Sessions {
 public:
  static constexpr std::chrono::hours kLongest{12};
  static constexpr std::chrono::hours kIdle{2};
  /// Where there are more, the one that was used longest ago ends.
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kMostOfKey = 32;  // so that a reader's key ends nobody else's

  explicit Sessions(const Clock& clock);

  /// Gives the id (256 random bits as text), which is told this once.
  Secret open(const crypto::Digest& key);
  /// The digest of its key; nothing where there is no such session any more. Counts as a use.
  std::optional<crypto::Digest> use(std::string_view id);
  /// When it ends if it is not used again.
  std::optional<Wall> ends(std::string_view id) const;
  void close(std::string_view id);

  /// What a page must send beside the cookie to change something. Follows from the id, and tells
  /// nothing of it.
  Secret csrf(std::string_view id) const;

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    crypto::Digest id;
    crypto::Digest key;
    Monotonic opened, used;
  };
  static Monotonic end_of(const Session& session);
  const Session* find(std::string_view id) const;
  void drop_ended();

  const Clock& clock_;
  const crypto::Hmac csrf_;
  std::vector<Session> sessions_;
};

}  // namespace causeway::sessions
