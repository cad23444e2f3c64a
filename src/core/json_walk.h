// What every reader of a request body needs of JSON: exact byte ranges, keys compared unescaped,
// duplicates refused in each object that is read, and a visit of every other value, so that what is
// forwarded is known to be JSON. Faults are thrown as Refused and caught by the dialect's read().
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/request.h"
#include "platform/json/on_demand.h"
#include "platform/text/ascii.h"

namespace causeway {

namespace od = simdjson::ondemand;
using json::key_of, json::take;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxMembers = 256;    // of an object that is read
constexpr std::size_t kMaxModelName = 256;  // bytes
constexpr std::size_t kShortWord = 6;       // bytes: a shorter string gives nobody away
constexpr std::size_t kLongToken = 64;      // of one word: a signature or a file, nothing to read

struct Refused {
  Error error;
};

[[noreturn]] inline void refuse(std::string message, std::string param = {},
                                std::string code = {}) {
  Error error;
  error.kind = ErrorKind::InvalidRequest;
  error.origin = Origin::Client;
  error.message = std::move(message);
  error.param = std::move(param);
  error.code = std::move(code);
  throw Refused{std::move(error)};
}

class JsonWalk {
 public:
  JsonWalk(RequestIndex& index, std::string_view body) : index_(index) { index_.body = body; }

 protected:
  std::uint32_t offset(const char* at) const {
    return static_cast<std::uint32_t>(at - index_.body.data());
  }

  // The container that was just read through: the iterator stands at the next token, white space
  // before that belongs to nobody.
  std::uint32_t end_of_container() {
    const char* location = nullptr;
    std::uint32_t end = document_->current_location().get(location)
                            ? static_cast<std::uint32_t>(index_.body.size())
                            : offset(location);
    while (end > 0 && is_space(index_.body[end - 1])) --end;
    return end;
  }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  // simdjson's tokens reach to the next token.
  ByteRange trimmed(std::string_view token) const {
    const std::uint32_t begin = offset(token.data());
    while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
    return {begin, begin + static_cast<std::uint32_t>(token.size())};
  }

  // A JSON string's bytes with quotes. Its escapes are checked, since stages decode it later; the
  // rest (UTF-8, control characters) simdjson checked in its first pass.
  ByteRange string_range(od::value value) {
    const ByteRange range = trimmed(value.raw_json_token());
    const std::string_view bytes = index_.bytes(range);
    // Taken in either case: a string left lying is a key to simdjson where a colon stands behind.
    std::string_view ignored;
    if (std::memchr(bytes.data(), '\\', bytes.size()) == nullptr) {
      (void)value.get_raw_json_string().value();
    } else if (value.get_string().get(ignored)) {
      refuse("The body is not valid JSON: a string has an invalid escape (near byte " +
                 std::to_string(range.begin) + ")",
             {}, "invalid_json");
    }
    return range;
  }

  std::string_view kept_key(od::field& field) {
    const std::string_view key = key_of(field);
    if (key.data() >= index_.body.data() && key.data() < index_.body.data() + index_.body.size()) {
      return key;
    }
    index_.unescaped_keys.emplace_back(key);
    return index_.unescaped_keys.back();
  }

  /// A string's text, kept with the index where it has escapes.
  std::string_view kept_string(ByteRange range) {
    std::string storage;
    const std::string_view text = decode_json_string(index_.bytes(range), storage);
    if (storage.empty()) return text;
    return index_.unescaped_keys.emplace_back(std::move(storage));
  }

  /// A call of a tool, or its result, in a message. What is no string is no id.
  void add_call(std::uint16_t message, bool result, std::string_view id = {}) {
    index_.calls.push_back({message, result, id});
  }
  std::string_view id_in(od::value value, int depth) {
    const bool string = value.type() == od::json_type::string;
    const ByteRange range = trimmed(value.raw_json_token());
    check(value, depth);  // like any other value that no reader knows
    return string ? kept_string(range) : std::string_view();
  }

  /// Calls visit(key, value) for each member of the body and keeps its place in the index. Refuses
  /// what is no object, duplicates, and whatever stands behind it.
  template <class Visit>
  void body_members(od::document& document, Visit visit) {
    document_ = &document;
    if (document.type() != od::json_type::object) refuse("the body must be a JSON object");
    od::object object = document.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::uint32_t begin = offset(field.key().raw()) - 1;
      const std::string_view key = kept_key(field);
      if (index_.member(key)) {
        refuse("duplicate member \"" + std::string(key) + "\"", std::string(key));
      }
      if (index_.members.size() == kMaxMembers) refuse("too many members in the body");
      od::value value = field.value();
      const std::string_view token = value.raw_json_token();
      ByteRange range = trimmed(token);
      visit(key, value);
      if (token.front() == '{' || token.front() == '[') range.end = end_of_container();
      index_.members.push_back({key, {begin, range.end}, range});
    }
    const char* behind = nullptr;
    if (!document.current_location().get(behind)) refuse("the body goes on behind the JSON object");
  }

  /// The messages stand in the member `key`.
  void messages_are(std::string_view key) {
    if (const auto* member = index_.member(key)) index_.messages_array = member->value;
  }

  void read_model(od::value value) {
    if (value.type() != od::json_type::string) {
      check(value, 1);
      refuse("\"model\" must be a string", "model");
    }
    const std::string_view model = kept_string(string_range(value));
    if (model.empty()) refuse("\"model\" is empty", "model");
    if (model.size() > kMaxModelName) refuse("\"model\" is longer than 256 bytes", "model");
    index_.model = model;
  }

  /// Calls visit(key, value) for each member, refusing duplicates. `path` names the object in
  /// errors: text, or a function that makes it when there is one.
  template <class Path, class Visit>
  void members(od::value value, const Path& path, Visit visit) {
    std::array<std::string_view, 16> seen;
    std::vector<std::string_view> more;
    std::size_t count = 0;
    od::object object = value.get_object();
    for (auto result : object) {
      od::field field = take(std::move(result));
      const std::string_view key = kept_key(field);
      const auto known = seen.begin() + static_cast<std::ptrdiff_t>(std::min(count, seen.size()));
      if (std::find(seen.begin(), known, key) != known ||
          std::find(more.begin(), more.end(), key) != more.end()) {
        refuse("duplicate member \"" + std::string(key) + "\" in " + named(path), named(path));
      }
      if (count == kMaxMembers) refuse("too many members in " + named(path), named(path));
      if (count < seen.size()) {
        seen[count] = key;
      } else {
        more.push_back(key);
      }
      ++count;
      visit(key, field.value());
    }
  }

  template <class Path>
  static std::string named(const Path& path) {
    if constexpr (std::is_invocable_v<const Path&>) {
      return path();
    } else {
      return std::string(path);
    }
  }

  /// What no text stage can read, outside of parts that could be left out.
  void unread() { index_.has_unread_content = index_.unread_elsewhere = true; }

  /// The object that was just read through is such a part. It began at `begin`; the texts from
  /// `first_text` on are in it.
  void unread_part(std::uint32_t begin, std::size_t first_text) {
    index_.has_unread_content = true;
    while (!index_.unread.empty() && index_.unread.back().begin >= begin) index_.unread.pop_back();
    index_.unread.push_back({begin, end_of_container()});
    const auto in_it = index_.texts.begin() + static_cast<std::ptrdiff_t>(first_text);
    index_.texts.erase(std::remove_if(in_it, index_.texts.end(),
                                      [](const RequestIndex::TextAt& text) {
                                        return text.where.kind == TextKind::Other;
                                      }),
                       index_.texts.end());
  }

  // Whatever nobody knows by its name may hold words, too. Signatures and encoded files do not, nor
  // do the words of a protocol ("input_text", "text/plain").
  void note_other(ByteRange range) {
    const std::string_view bytes = index_.bytes(range);
    const bool string = bytes.front() == '"';
    if (bytes.size() < kShortWord + (string ? 2 : 0)) return;
    const auto in_protocol = [](char c) {
      return (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '/' || c == '.';
    };
    if (string && std::all_of(bytes.begin() + 1, bytes.end() - 1, in_protocol)) return;
    const auto in_word = [](char c) {
      return text::is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
    };
    if (string && bytes.size() > kLongToken &&
        std::all_of(bytes.begin() + 1, bytes.end() - 1, in_word)) {
      return;
    }
    if (!string && !std::all_of(bytes.begin(), bytes.end(), text::is_digit)) return;
    index_.texts.push_back({{Role::None, TextKind::Other, 0, 0}, range});
  }

  // Visits a value that nobody reads, so that all of the body is known to be JSON.
  void check(od::value value, int depth) {
    if (depth > kMaxDepth) refuse("the body is nested deeper than 64 levels");
    switch (value.type().value()) {
      case od::json_type::object: {
        od::object object = value.get_object();
        for (auto result : object) {
          od::field field = take(std::move(result));
          (void)key_of(field);
          check(field.value(), depth + 1);
        }
        break;
      }
      case od::json_type::array: {
        od::array array = value.get_array();
        for (auto element : array) check(take(std::move(element)), depth + 1);
        break;
      }
      case od::json_type::string:
        note_other(string_range(value));
        break;
      case od::json_type::number: {
        const ByteRange range = trimmed(value.raw_json_token());
        check_number(value);
        if (depth > 1) note_other(range);  // those of the body itself are settings
        break;
      }
      case od::json_type::boolean:
        (void)value.get_bool().value();
        break;
      case od::json_type::null:
        if (!value.is_null()) refuse("\"null\" is misspelt");
        break;
    }
  }

  // Numbers that no machine type holds are JSON all the same, and pass as they are.
  void check_number(od::value value) {
    if (!is_number(index_.bytes(trimmed(value.raw_json_token())))) {
      throw simdjson::simdjson_error(simdjson::NUMBER_ERROR);
    }
  }

  // RFC 8259, section 6.
  static bool is_number(std::string_view text) {
    const auto digits = [&] {
      std::size_t count = 0;
      while (count < text.size() && text::is_digit(text[count])) ++count;
      text.remove_prefix(count);
      return count;
    };
    if (text.starts_with('-')) text.remove_prefix(1);
    const bool zero = text.starts_with('0');
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      if (digits() == 0) return false;
    }
    if (text.starts_with('e') || text.starts_with('E')) {
      text.remove_prefix(1);
      if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
      if (digits() == 0) return false;
    }
    return text.empty();
  }

  RequestIndex& index_;
  od::document* document_ = nullptr;
};

}  // namespace causeway
