// A JSON object of one line, written straight into the loop's buffer: JsonWriter grows a string and
// costs four times as much, which counts for a line per request. The names of fields are constants,
// so that each is copied by a few moves.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "platform/text/json_writer.h"
#include "platform/text/number.h"
#include "platform/text/utf8.h"

namespace causeway::access_log {

class Line {
 public:
  /// Texts are cut here: what a caller may have invented (path, model) is not to fill the log.
  static constexpr std::size_t kLongestText = 256;
  /// Of any line: 32 fields, half of them texts.
  static constexpr std::size_t kMostBytes = 32 * 64 + 16 * text::put_json_most(kLongestText);

  explicit Line(char* buffer) : begin_(buffer), at_(buffer) { *at_++ = '{'; }

  /// Any text; the empty one is null.
  void text(text::JsonKey name, std::string_view value) {
    if (value.empty()) return raw(name, "null");
    key(name);
    if (value.size() > kLongestText) value = text::utf8_cut(value, kLongestText);
    at_ = text::put_json_string(at_, value);
  }
  /// A text of ours that needs no escaping.
  void word(text::JsonKey name, std::string_view value) {
    key(name);
    *at_++ = '"';
    put(value);
    *at_++ = '"';
  }
  /// A value that is JSON already.
  void raw(text::JsonKey name, std::string_view json) {
    key(name);
    put(json);
  }
  void number(text::JsonKey name, std::uint64_t value) {
    key(name);
    at_ = std::to_chars(at_, at_ + 20, value).ptr;
  }
  /// `value` / 10^decimals.
  void fixed(text::JsonKey name, std::int64_t value, int decimals) {
    key(name);
    at_ = text::put_fixed(at_, value, decimals);
  }
  std::string_view end() {
    *at_++ = '}';
    return {begin_, static_cast<std::size_t>(at_ - begin_)};
  }

 private:
  [[gnu::always_inline]] void key(text::JsonKey name) {
    const std::string_view characters = name.name();
    if (at_ != begin_ + 1) *at_++ = ',';
    *at_++ = '"';
    put(characters);
    *at_++ = '"';
    *at_++ = ':';
  }
  [[gnu::always_inline]] void put(std::string_view bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  char* begin_;
  char* at_;
};

}  // namespace causeway::access_log
