// Appends JSON to a string: for error bodies, log lines, admin replies, everything that is written
// rather than passed on. It puts the commas, escapes, and allocates nothing but the target string.
// The caller keeps brackets and keys in balance; the writer does not check it. What comes out is
// always valid UTF-8: bytes that are not become U+FFFD.
//
//   std::string out;
//   JsonWriter json(out);
//   json.begin_object().field("model", name).field("tokens",
//   12).key("cost").money(1500).end_object();
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/text/number.h"

namespace causeway {
class Secret;
}

namespace causeway::text {

/// The content of a JSON string literal for `text`, without the quotes.
void append_json_escaped(std::string& out, std::string_view text);
/// `text` as a JSON string literal, quotes included.
void append_json_string(std::string& out, std::string_view text);

/// The same into memory that has room for put_json_most(text.size()) bytes; answers the end of what
/// was put.
char* put_json_string(char* at, std::string_view text);
constexpr std::size_t put_json_most(std::size_t size) { return 6 * size + 2; }

/// The name of a field, checked when compiled to need no escaping. Names that are only known at run
/// time are given as std::string_view or std::string.
class JsonKey {
 public:
  template <std::size_t N>
  consteval JsonKey(const char (&name)[N]) : name_(name, N - 1) {
    for (const char c : name_) {
      if (c < 0x20 || c > 0x7E || c == '"' || c == '\\') throw "a key that needs escaping";
    }
  }
  std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

template <class T>
concept RunTimeName = std::same_as<T, std::string_view> || std::same_as<T, std::string>;

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(JsonKey name);
  JsonWriter& key(const RunTimeName auto& name) { return key_at_run_time(name); }
  JsonWriter& string(std::string_view value);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  /// null when `value` is not finite, since JSON has no such number.
  JsonWriter& number(double value);
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  JsonWriter& number(T value) {
    separate();
    append_int(out_, value);
    return *this;
  }
  /// Micro-units as an exact decimal number: 1250000 is 1.25.
  JsonWriter& money(std::int64_t micro_units) { return fixed(micro_units, 6); }
  /// `value` / 10^`decimals` as an exact decimal number.
  JsonWriter& fixed(std::int64_t value, int decimals);
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  JsonWriter& value(std::string_view text) { return string(text); }
  template <std::size_t N>  // a literal, whose length the compiler knows
  JsonWriter& value(const char (&text)[N]) {
    return string(std::string_view(text));
  }
  JsonWriter& value(std::same_as<const char*> auto text) { return string(text); }
  JsonWriter& value(double number_value) { return number(number_value); }
  JsonWriter& value(std::same_as<bool> auto flag) { return boolean(flag); }
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  JsonWriter& value(T integer) {
    return number(integer);
  }
  JsonWriter& value(const Secret&) = delete;

  /// key() and value() in one.
  template <class T>
  JsonWriter& field(JsonKey name, const T& field_value) {
    return key(name).value(field_value);
  }
  template <class T>
  JsonWriter& field(const RunTimeName auto& name, const T& field_value) {
    return key(name).value(field_value);
  }

  std::string& out() { return out_; }

 private:
  JsonWriter& key_at_run_time(std::string_view name);
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
  }

  std::string& out_;
  bool comma_ = false;  // a value stands before, so that the next one needs a comma
};

}  // namespace causeway::text
