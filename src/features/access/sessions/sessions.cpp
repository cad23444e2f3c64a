#include "features/access/sessions/sessions.h"

#include <algorithm>

#include "platform/crypto/text.h"

namespace causeway::sessions {
namespace {

constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kIdCharacters = 43;

}  // namespace

Sessions::Sessions(const Clock& clock) : clock_(clock), csrf_(crypto::random_bytes(kIdBytes)) {}

Monotonic Sessions::end_of(const Session& session) {
  return std::min<Monotonic>(session.opened + kLongest, session.used + kIdle);
}

void Sessions::drop_ended() {
  const auto now = clock_.now();
  std::erase_if(sessions_, [now](const Session& session) { return end_of(session) <= now; });
}

Secret Sessions::open(const crypto::Digest& key) {
  drop_ended();
  const auto of_key = [&key](const Session& session) { return session.key == key; };
  const bool many = std::ranges::count_if(sessions_, of_key) >= std::ptrdiff_t{kMostOfKey};
  if (many || sessions_.size() >= kMost) {
    // Of this key where it has many, else of all.
    sessions_.erase(std::ranges::min_element(sessions_, {}, [&](const Session& session) {
      return std::pair(many && !of_key(session), session.used);
    }));
  }
  Secret id(crypto::to_base64url(crypto::random_bytes(kIdBytes)));
  const auto now = clock_.now();
  sessions_.push_back({crypto::sha256(id.reveal()), key, now, now});
  return id;
}

// All of them are looked at, so that the time tells nothing.
const Sessions::Session* Sessions::find(std::string_view id) const {
  if (id.size() != kIdCharacters) return nullptr;
  const crypto::Digest wanted = crypto::sha256(id);
  const Session* found = nullptr;
  for (const Session& session : sessions_) {
    if (equal_constant_time(crypto::view(session.id), crypto::view(wanted))) found = &session;
  }
  return found && end_of(*found) > clock_.now() ? found : nullptr;
}

std::optional<crypto::Digest> Sessions::use(std::string_view id) {
  const Session* session = find(id);
  if (!session) return std::nullopt;
  sessions_[static_cast<std::size_t>(session - sessions_.data())].used = clock_.now();
  return session->key;
}

std::optional<Wall> Sessions::ends(std::string_view id) const {
  const Session* session = find(id);
  if (!session) return std::nullopt;
  return clock_.wall() +
         std::chrono::duration_cast<Wall::duration>(end_of(*session) - clock_.now());
}

void Sessions::close(std::string_view id) {
  const Session* session = find(id);
  if (session) sessions_.erase(sessions_.begin() + (session - sessions_.data()));
}

Secret Sessions::csrf(std::string_view id) const {
  return Secret(crypto::to_base64url(crypto::view(csrf_(id))));
}

}  // namespace causeway::sessions
