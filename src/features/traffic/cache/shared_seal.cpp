#include "features/traffic/cache/shared_seal.h"

#include <charconv>
#include <cstring>

#include "platform/crypto/aead.h"
#include "platform/crypto/text.h"

namespace causeway::cache {
namespace {

constexpr char kVersion = 1;
constexpr std::string_view kPrefix = "causeway:cache:";
constexpr std::size_t kWhoseBytes = 8, kRequestBytes = 16;
constexpr std::uint32_t kMostPlain = 64 * 1024 * 1024;  // no answer that is kept comes near

// What stands in front of the answer, inside the seal.
struct Times {
  std::int64_t made = 0, until = 0;  // milliseconds of the epoch
  Mark heard;
};

std::string bound(const Key& key) { return std::string(1, kVersion).append(crypto::view(key)); }
std::string bound_clear() { return std::string(1, kVersion).append("clear"); }

Secret derive(const Secret& key, std::string_view purpose, std::string_view whose = {}) {
  std::string info("causeway cache ");
  info.append(purpose).append(1, '\0').append(whose);
  return Secret(crypto::hkdf(key.reveal(), "", info, crypto::kAeadKeyBytes));
}

std::int64_t ms_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
Wall wall_of(std::int64_t ms) { return Wall(std::chrono::milliseconds(ms)); }

}  // namespace

std::string Mark::text() const { return std::to_string(ms) + "-" + std::to_string(number); }

std::optional<Mark> read_mark(std::string_view text) {
  Mark mark;
  const char* const end = text.data() + text.size();
  const auto [dash, wrong] = std::from_chars(text.data(), end, mark.ms);
  if (wrong != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const auto [last, wrong_too] = std::from_chars(dash + 1, end, mark.number);
  if (wrong_too != std::errc() || last != end) return std::nullopt;
  return mark;
}

SharedSeal::SharedSeal(const Secret& key)
    : key_(key), names_(derive(key, "names").reveal()), clears_(derive(key, "clears")) {}

// Random nonces are good for 2^32 records of a key: of a tenant, here.
Secret SharedSeal::key_of_tenant(std::string_view tenant) const {
  return derive(key_, "answers", tenant);
}

std::string SharedSeal::digest(char what, std::string_view text, std::size_t bytes) const {
  const crypto::Digest whole = names_(std::string(1, what).append(text));
  return crypto::to_hex(crypto::view(whole).substr(0, bytes));
}

std::string SharedSeal::name(std::string_view tenant, std::string_view model,
                             const Key& key) const {
  std::string name(kPrefix);
  name.append(digest('t', tenant, kWhoseBytes)).append(":");
  name.append(digest('m', model, kWhoseBytes)).append(":");
  return name.append(digest('k', crypto::view(key), kRequestBytes));
}

std::string SharedSeal::pattern(std::string_view tenant, std::string_view model) const {
  std::string pattern(kPrefix);
  pattern.append(tenant.empty() ? "*" : digest('t', tenant, kWhoseBytes)).append(":");
  return pattern.append(model.empty() ? "*" : digest('m', model, kWhoseBytes)).append(":*");
}

std::string SharedSeal::seal(const Key& key, const Kept& kept, const Mark& heard) const {
  constexpr std::size_t kAround = 1 + crypto::kAeadOverhead + sizeof(Times) + 1024;
  if (kept.bytes().size() + kAround > kMostBytes) return {};
  const Times times{ms_of(kept.made), ms_of(kept.until), heard};
  std::string plain(reinterpret_cast<const char*>(&times), sizeof times);
  plain += written(kept);
  std::string out(1, kVersion);
  return out += crypto::aead_seal(key_of_tenant(kept.tenant), bound(key), plain);
}

std::optional<SharedSeal::Opened> SharedSeal::open(std::string_view tenant, std::string_view model,
                                                   const Key& key, std::string_view sealed) const {
  if (sealed.empty() || sealed.front() != kVersion) return std::nullopt;
  const auto plain = crypto::aead_open(key_of_tenant(tenant), bound(key), sealed.substr(1));
  Times times;
  if (!plain || plain->size() < sizeof times) return std::nullopt;
  std::memcpy(&times, plain->data(), sizeof times);
  Opened opened{std::make_shared<Kept>(), times.heard};
  Kept& kept = *opened.kept;
  const std::string_view answer = std::string_view(*plain).substr(sizeof times);
  if (!read_written(answer, kept) || kept.plain_size > kMostPlain) return std::nullopt;
  kept.tenant = tenant;
  kept.model = model;
  kept.made = wall_of(times.made);
  kept.until = wall_of(times.until);
  return opened;
}

std::string SharedSeal::seal_clear(std::string_view tenant, std::string_view model) const {
  const auto size = static_cast<std::uint32_t>(tenant.size());
  std::string plain(reinterpret_cast<const char*>(&size), sizeof size);
  plain.append(tenant).append(model);
  std::string out(1, kVersion);
  return out += crypto::aead_seal(clears_, bound_clear(), plain);
}

std::optional<std::pair<std::string, std::string>> SharedSeal::open_clear(
    std::string_view sealed) const {
  if (sealed.empty() || sealed.front() != kVersion) return std::nullopt;
  const auto plain = crypto::aead_open(clears_, bound_clear(), sealed.substr(1));
  std::uint32_t size = 0;
  if (!plain || plain->size() < sizeof size) return std::nullopt;
  std::memcpy(&size, plain->data(), sizeof size);
  const std::string_view names = std::string_view(*plain).substr(sizeof size);
  if (size > names.size()) return std::nullopt;
  return std::pair(std::string(names.substr(0, size)), std::string(names.substr(size)));
}

}  // namespace causeway::cache
