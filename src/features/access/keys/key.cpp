#include "features/access/keys/key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/crypto/text.h"

namespace causeway::keys {
namespace {

constexpr std::size_t kMostName = 100;
constexpr std::size_t kMostTenant = 64;
constexpr std::size_t kMostEntries = 32;
constexpr std::size_t kMostModels = 100;
constexpr std::size_t kMostText = 200;
constexpr std::size_t kIdBytes = 10;
constexpr std::size_t kSecretBytes = 32;

constexpr std::array<std::pair<KeyKind, std::string_view>, 3> kKinds = {{
    {KeyKind::Application, "application"},
    {KeyKind::Admin, "admin"},
    {KeyKind::AdminReadOnly, "admin_read_only"},
}};

bool has_controls(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<void> refuse(std::string field, std::string why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, field + " " + why, "invalid_key");
  error.error().param = std::move(field);
  return error;
}

Result<void> check_text(std::string field, std::string_view text, std::size_t least,
                        std::size_t most) {
  if (text.size() < least) return refuse(std::move(field), "must not be empty");
  if (text.size() > most) {
    return refuse(std::move(field), "has more than " + std::to_string(most) + " characters");
  }
  if (has_controls(text)) return refuse(std::move(field), "has control characters");
  return {};
}

Result<void> check_list(const std::string& field, const std::vector<std::string>& list,
                        std::size_t most) {
  if (list.size() > most)
    return refuse(field, "has more than " + std::to_string(most) + " entries");
  for (const std::string& entry : list) {
    if (auto fine = check_text(field, entry, 1, kMostText); !fine) return fine;
  }
  return {};
}

}  // namespace

std::string_view to_text(KeyKind kind) {
  return std::ranges::find(kKinds, kind, [](const auto& entry) { return entry.first; })->second;
}

std::optional<KeyKind> kind_from_text(std::string_view text) {
  const auto* found =
      std::ranges::find(kKinds, text, [](const auto& entry) { return entry.second; });
  if (found == kKinds.end()) return std::nullopt;
  return found->first;
}

Result<void> check(const NewKey& key) {
  auto fine = check_text("name", key.name, 1, kMostName);
  if (fine) fine = check_text("tenant", key.tenant, 1, kMostTenant);
  if (fine) fine = check_text("user", key.user, 0, kMostText);
  if (fine) fine = check_list("roles", key.roles, kMostEntries);
  if (fine) fine = check_list("models", key.models, kMostModels);
  if (fine && key.attributes.size() > kMostEntries)
    fine = refuse("attributes", "has too many entries");
  for (const auto& [name, value] : key.attributes) {
    if (fine) fine = check_text("attributes", name, 1, kMostText);
    if (fine) fine = check_text("attributes", value, 0, kMostText);
    if (fine && name.contains('=')) fine = refuse("attributes", "has a name with '='");
  }
  return fine;
}

Secret make_key_text(std::string_view id) {
  return Secret("cw-" + std::string(id) + "-" +
                crypto::to_base62(crypto::random_bytes(kSecretBytes)));
}

std::string make_key_id() { return crypto::to_base32(crypto::random_bytes(kIdBytes)); }

std::string last_four(std::string_view text) {
  return std::string(text.substr(text.size() - std::min<std::size_t>(4, text.size())));
}

}  // namespace causeway::keys
