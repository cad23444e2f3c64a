#include "features/traffic/cache/key.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <cstring>
#include <string>

#include "core/caller.h"
#include "core/dialect.h"
#include "core/provider.h"
#include "platform/text/ascii.h"

namespace causeway::cache {
namespace {

// Sorted. Of all dialects: a name that one of them does not have is not there.
constexpr std::array<std::string_view, 10> kBearsOnNothing = {
    "metadata",     "model", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
    "service_tier", "store", "stream",           "stream_options",         "user"};

bool bears(std::string_view member) { return !std::ranges::binary_search(kBearsOnNothing, member); }

/// Parts one after the other, each with its length, so that no two lists of parts are one text.
class Parts {
 public:
  explicit Parts(std::string& buffer) : buffer_(buffer) { buffer_.clear(); }
  void add(std::string_view part) {
    const std::uint64_t size = part.size();
    buffer_.append(reinterpret_cast<const char*>(&size), sizeof size);
    buffer_ += part;
  }
  void add(const Spans& part) {
    std::uint64_t size = 0;
    for (const std::string_view span : part) size += span.size();
    buffer_.append(reinterpret_cast<const char*>(&size), sizeof size);
    for (const std::string_view span : part) buffer_ += span;
  }
  Key digest() const { return crypto::sha256(buffer_); }

 private:
  std::string& buffer_;
};

// Members in the order of their names: two clients may write them in different orders.
void add_members(Parts& parts, const RequestIndex& index) {
  std::vector<const RequestIndex::Member*> members;
  members.reserve(index.members.size());
  for (const auto& member : index.members) {
    if (bears(member.key)) members.push_back(&member);
  }
  std::ranges::sort(members, {}, [](const auto* member) { return member->key; });
  for (const auto* member : members) {
    parts.add(member->key);
    parts.add(index.bytes(member->value));
  }
}

void add_edited(Parts& parts, const Request& request) {
  Request plain = request.fork();
  for (const std::string_view member : kBearsOnNothing) plain.remove_member(member);
  Spans spans;
  plain.bytes(spans);
  parts.add(spans);
}

// A number alone, without a parser being made for it.
std::optional<double> plain_number(std::string_view bytes) {
  // from_chars() would take "inf" as well.
  if (bytes.find_first_not_of("0123456789-+.eE") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, failed] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  if (failed != std::errc() || end != bytes.data() + bytes.size()) return std::nullopt;
  return value;
}

void add_sharer(Parts& parts, Exchange& exchange, Scope scope) {
  if (scope == Scope::Tenant) return parts.add("tenant");
  if (scope == Scope::User) {
    // A user may be called as a key is.
    if (const auto user = user_of(exchange); !user.empty()) {
      parts.add("user");
      return parts.add(user);
    }
  }
  parts.add("key");  // also where nobody is named: it is all that is known
  parts.add(exchange.principal->key_id);
}

}  // namespace

std::size_t KeyHash::operator()(const Key& key) const {
  std::size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

Control read_control(std::string_view field) {
  Control control;
  while (!field.empty()) {
    const std::size_t comma = std::min(field.find(','), field.size());
    const std::string_view word = text::trim(field.substr(0, comma));
    field.remove_prefix(std::min(comma + 1, field.size()));
    if (text::equals_ignore_case(word, "no-cache")) control.no_cache = true;
    if (text::equals_ignore_case(word, "no-store")) control.no_store = true;
    if (text::equals_ignore_case(word, "only-if-cached")) control.only_if_cached = true;
    constexpr std::string_view kAge = "max-age=";
    if (!text::equals_ignore_case(word.substr(0, kAge.size()), kAge)) continue;
    std::uint32_t seconds = 0;
    const std::string_view number = word.substr(kAge.size());
    const auto [end, failed] =
        std::from_chars(number.data(), number.data() + number.size(), seconds);
    // What is no number is the strictest one: RFC 9111, 4.2.1 lets it be stale.
    control.max_age = std::chrono::seconds(
        failed == std::errc() && end == number.data() + number.size() ? seconds : 0);
  }
  return control;
}

Key key_of(Exchange& exchange, const Attempt& attempt, const CacheSettings& settings) {
  thread_local std::string buffer;
  Parts parts(buffer);
  parts.add("causeway 1");
  parts.add(exchange.principal->tenant);
  parts.add(to_string(static_cast<OperationKind>(exchange.operation->kind)));
  add_sharer(parts, exchange, settings.scope);
  parts.add(exchange.model_name);
  parts.add(attempt.target->name);
  parts.add(exchange.operation->dialect->name());
  parts.add(exchange.operation->path);
  parts.add(exchange.index.stream ? "stream" : "whole");
  for (const auto name : exchange.operation->dialect->request_fields()) {
    if (const auto value = exchange.head().find(name)) {
      parts.add(name);
      parts.add(*value);
    }
  }
  parts.add("");
  if (attempt.request.edited()) {
    add_edited(parts, attempt.request);
  } else {
    add_members(parts, exchange.index);
  }
  const Key key = parts.digest();
  if (buffer.capacity() > 256 * 1024) std::string().swap(buffer);
  return key;
}

std::optional<double> temperature_of(const RequestIndex& index) {
  namespace bj = boost::json;
  const auto number = [](const bj::value& value) -> std::optional<double> {
    if (!value.is_number()) return std::nullopt;
    return value.to_number<double>();
  };
  boost::system::error_code failed;
  if (const auto* member = index.member("temperature")) {
    if (const auto plain = plain_number(index.bytes(member->value))) return plain;
    const bj::value value = bj::parse(index.bytes(member->value), failed);
    return failed ? std::nullopt : number(value);
  }
  for (const std::string_view name : {"generationConfig", "generation_config"}) {
    const auto* member = index.member(name);
    if (!member) continue;
    const bj::value value = bj::parse(index.bytes(member->value), failed);
    if (failed || !value.is_object()) return std::nullopt;
    const bj::value* temperature = value.as_object().if_contains("temperature");
    return temperature ? number(*temperature) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace causeway::cache
