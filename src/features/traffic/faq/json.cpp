#include "features/traffic/faq/json.h"

#include <algorithm>
#include <boost/json.hpp>

namespace causeway::faq {
namespace {

namespace bj = boost::json;

std::unexpected<Error> wrong(std::string_view field, std::string_view why) {
  auto error =
      fail(ErrorKind::InvalidRequest, Origin::Client,
           "\"" + std::string(field.substr(0, 50)) + "\" " + std::string(why), "faq_entry");
  error.error().param = field.substr(0, 50);
  return error;
}

Result<std::string> text_of(const bj::value& value, std::string_view field) {
  if (!value.is_string()) return wrong(field, "is a text.");
  return std::string(std::string_view(value.as_string()));
}

Result<std::vector<std::string>> list_of(const bj::value& value, std::string_view field) {
  if (!value.is_array()) return wrong(field, "is a list of texts.");
  std::vector<std::string> out;
  for (const bj::value& one : value.as_array()) {
    auto text = text_of(one, field);
    if (!text) return wrong(field, "is a list of texts.");
    out.push_back(std::move(*text));
  }
  return out;
}

Result<std::optional<Seconds>> time_of(const bj::value& value, std::string_view field) {
  if (value.is_null()) return std::nullopt;
  const auto text = text_of(value, field);
  if (text && text->empty()) return std::nullopt;
  const auto time = text ? parse_time(*text, field == "valid_until") : std::nullopt;
  if (!time) return wrong(field, "is a time like 2026-12-31 or 2026-12-31T18:00:00Z, or null.");
  return time;
}

template <class T>
Result<bool> take(Result<T> read, T& into) {
  if (!read) return pass(std::move(read));
  into = std::move(*read);
  return true;
}

// False: there is no such member.
Result<bool> set(Draft& draft, std::string_view name, const bj::value& value) {
  if (name == "questions") return take(list_of(value, name), draft.questions);
  if (name == "models") return take(list_of(value, name), draft.models);
  if (name == "answer") return take(text_of(value, name), draft.answer);
  if (name == "language") return take(text_of(value, name), draft.language);
  if (name == "tenant") return take(text_of(value, name), draft.tenant);
  if (name == "valid_from") return take(time_of(value, name), draft.valid_from);
  if (name == "valid_until") return take(time_of(value, name), draft.valid_until);
  if (name != "enabled") return false;
  if (!value.is_bool()) return wrong(name, "is true or false.");
  draft.enabled = value.as_bool();
  return true;
}

void write_list(text::JsonWriter& json, text::JsonKey key, const std::vector<std::string>& list) {
  json.key(key).begin_array();
  for (const auto& one : list) json.string(one);
  json.end_array();
}

void write_time(text::JsonWriter& json, text::JsonKey key, std::optional<Seconds> time, bool end) {
  json.key(key);
  if (time) {
    json.string(time_text(*time, end));
  } else {
    json.null();
  }
}

}  // namespace

Result<void> read_draft(const bj::object& object, Draft& draft,
                        std::initializer_list<std::string_view> also) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    const auto known = set(draft, name, member.value());
    if (!known) return std::unexpected(known.error());
    if (!*known && std::ranges::find(also, name) == also.end()) {
      return wrong(name, "is not a member of an entry.");
    }
  }
  return {};
}

void write_draft(text::JsonWriter& json, const Draft& draft, bool with_answer) {
  write_list(json, "questions", draft.questions);
  if (with_answer) json.field("answer", draft.answer);
  json.field("language", draft.language).field("tenant", draft.tenant);
  write_list(json, "models", draft.models);
  write_time(json, "valid_from", draft.valid_from, false);
  write_time(json, "valid_until", draft.valid_until, true);
  json.field("enabled", draft.enabled);
}

void write_entry(text::JsonWriter& json, const Entry& entry, Seconds now, bool with_answer) {
  json.begin_object().field("id", entry.id).field("version", entry.version);
  json.field("state", state_of(entry, now));
  write_draft(json, entry, with_answer);
  json.field("changed_by", entry.changed_by).field("changed_at", entry.changed_at);
  json.end_object();
}

std::string_view state_of(const Draft& draft, Seconds now) {
  if (!draft.enabled) return "disabled";
  if (draft.valid_until && *draft.valid_until <= now) return "expired";
  return draft.valid_at(now) ? "valid" : "future";
}

Result<bj::value> parse_body(std::string_view body) {
  bj::error_code failed;
  bj::value value = bj::parse(bj::string_view(body.data(), body.size()), failed);
  if (failed || !value.is_object()) {
    return fail(ErrorKind::InvalidRequest, Origin::Client, "The body is a JSON object.",
                "faq_entry");
  }
  return value;
}

}  // namespace causeway::faq
