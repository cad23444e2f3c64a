#include "features/access/keys/json.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <initializer_list>

#include "platform/config/values.h"

namespace causeway::keys {
namespace {

namespace bj = boost::json;

constexpr auto kDefaultGrace = std::chrono::hours(1);
constexpr auto kMostGrace = std::chrono::days(90);
constexpr auto kMostLife = std::chrono::years(100);

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    std::string(field) + " " + std::string(why), "invalid_key");
  error.error().param = field;
  return error;
}

Result<bj::object> parse_object(std::string_view body,
                                std::initializer_list<std::string_view> fields) {
  if (body.empty()) return bj::object();
  bj::error_code failed;
  bj::value value = bj::parse(bj::string_view(body.data(), body.size()), failed);
  if (failed || !value.is_object()) return wrong("the body", "must be a JSON object");
  for (const auto& member : value.as_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(fields, name) == fields.end()) {
      return wrong(name.substr(0, 100), "is not a field of this request");
    }
  }
  return std::move(value.as_object());
}

Result<void> read_text(const bj::object& object, std::string_view field, std::string& out) {
  const bj::value* value = object.if_contains(bj::string_view(field.data(), field.size()));
  if (!value) return {};
  if (!value->is_string()) return wrong(field, "must be a text");
  out = std::string(value->as_string());
  return {};
}

Result<void> read_list(const bj::object& object, std::string_view field,
                       std::vector<std::string>& out) {
  const bj::value* value = object.if_contains(bj::string_view(field.data(), field.size()));
  if (!value) return {};
  if (!value->is_array()) return wrong(field, "must be a list of texts");
  out.clear();
  for (const bj::value& entry : value->as_array()) {
    if (!entry.is_string()) return wrong(field, "must be a list of texts");
    out.emplace_back(entry.as_string());
  }
  return {};
}

Result<void> read_attributes(const bj::object& object, NewKey& key) {
  const bj::value* value = object.if_contains("attributes");
  if (!value) return {};
  if (!value->is_object()) return wrong("attributes", "must be an object of texts");
  for (const auto& member : value->as_object()) {
    if (!member.value().is_string()) return wrong("attributes", "must be an object of texts");
    key.attributes.emplace(member.key(), member.value().as_string());
  }
  return {};
}

std::optional<Wall> parse_time(const std::string& text) {
  tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (!end || *end != '\0') {
    parts = {};
    end = ::strptime(text.c_str(), "%Y-%m-%d", &parts);
    if (!end || *end != '\0') return std::nullopt;
  }
  return Wall(std::chrono::seconds(::timegm(&parts)));
}

// Both forms of an expiry; untouched when neither is there.
Result<void> read_expiry_into(const bj::object& object, Wall now, std::optional<Wall>& out) {
  const bj::value* relative = object.if_contains("expires_in");
  const bj::value* absolute = object.if_contains("expires");
  if (relative && absolute) return wrong("expires", "and expires_in exclude each other");
  const bj::value* value = relative ? relative : absolute;
  if (!value) return {};
  if (value->is_null()) {
    out.reset();
    return {};
  }
  if (!value->is_string()) {
    return wrong(relative ? "expires_in" : "expires", "must be a text, or null for never");
  }
  const std::string text(value->as_string());
  if (relative) {
    const auto life = config::parse_duration(text);
    if (!life || *life <= std::chrono::nanoseconds(0) || *life > kMostLife) {
      return wrong("expires_in", "must be a duration like 90d or 12h");
    }
    out = now + std::chrono::duration_cast<Wall::duration>(*life);
    return {};
  }
  const auto time = parse_time(text);
  if (!time || *time <= now) {
    return wrong("expires", "must be a time to come, like 2027-01-31T00:00:00Z");
  }
  out = *time;
  return {};
}

void write_time(text::JsonWriter& json, text::JsonKey key, const std::optional<Wall>& time) {
  json.key(key);
  if (time) {
    json.string(to_rfc3339(*time));
  } else {
    json.null();
  }
}

void write_list(text::JsonWriter& json, text::JsonKey key, const std::vector<std::string>& list) {
  json.key(key).begin_array();
  for (const std::string& entry : list) json.string(entry);
  json.end_array();
}

std::string_view state_of(const KeyRecord& record, Wall now) {
  if (record.revoked) return "revoked";
  return record.expires && *record.expires <= now ? "expired" : "live";
}

}  // namespace

std::string to_rfc3339(Wall time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

void write_key(text::JsonWriter& json, const KeyRecord& record, Wall now) {
  const Principal& who = record.principal;
  json.field("id", who.key_id).field("name", who.key_name).field("kind", to_text(record.kind));
  json.field("state", state_of(record, now));
  json.field("tenant", who.tenant).field("user", who.user);
  write_list(json, "roles", who.roles);
  json.key("attributes").begin_object();
  for (const auto& [name, value] : who.attributes) json.field(name, value);
  json.end_object();
  write_list(json, "models", who.models);
  write_time(json, "created", record.created);
  write_time(json, "expires", record.expires);
  write_time(json, "revoked", record.revoked);
  write_time(json, "last_used", record.last_use->get());
  json.field("from_config", record.from_config);
  json.key("secrets").begin_array();
  for (const KeySecret& secret : record.secrets) {
    json.begin_object().field("last4", secret.last4);
    write_time(json, "created", secret.created);
    write_time(json, "ends", secret.ends);
    json.end_object();
  }
  json.end_array();
}

Result<NewKey> read_new_key(std::string_view body, Wall now) {
  auto object = parse_object(body, {"name", "tenant", "user", "roles", "attributes", "models",
                                    "kind", "expires_in", "expires"});
  if (!object) return pass(std::move(object));
  NewKey key;
  std::string kind = "application";
  auto read = read_text(*object, "name", key.name);
  if (read) read = read_text(*object, "tenant", key.tenant);
  if (read) read = read_text(*object, "user", key.user);
  if (read) read = read_list(*object, "roles", key.roles);
  if (read) read = read_list(*object, "models", key.models);
  if (read) read = read_attributes(*object, key);
  if (read) read = read_text(*object, "kind", kind);
  if (read) read = read_expiry_into(*object, now, key.expires);
  if (!read) return pass(std::move(read));
  const auto known = kind_from_text(kind);
  if (!known) return wrong("kind", "must be application, admin or admin_read_only");
  key.kind = *known;
  return key;
}

Result<std::chrono::seconds> read_grace(std::string_view body) {
  auto object = parse_object(body, {"grace"});
  if (!object) return pass(std::move(object));
  std::string text;
  if (auto read = read_text(*object, "grace", text); !read) return pass(std::move(read));
  if (text.empty()) return kDefaultGrace;
  const auto grace = config::parse_duration(text);
  if (!grace || *grace < std::chrono::nanoseconds(0) || *grace > kMostGrace) {
    return wrong("grace", "must be a duration like 1h, at most 90d");
  }
  return std::chrono::duration_cast<std::chrono::seconds>(*grace);
}

Result<std::optional<Wall>> read_expiry(std::string_view body, Wall now) {
  auto object = parse_object(body, {"expires_in", "expires"});
  if (!object) return pass(std::move(object));
  if (object->empty()) return wrong("expires_in", "or expires is needed; null means never");
  std::optional<Wall> out;
  if (auto read = read_expiry_into(*object, now, out); !read) return pass(std::move(read));
  return out;
}

}  // namespace causeway::keys
