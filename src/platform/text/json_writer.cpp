#include "platform/text/json_writer.h"

#include <array>
#include <cmath>
#include <cstring>

#include "platform/text/utf8.h"

namespace causeway::text {
namespace {

enum : char { kPlain = 0, kUnicode = 1, kMultibyte = 2 };  // other values: the letter after a '\'

constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = kUnicode;
  for (std::size_t i = 0x80; i < 0x100; ++i) table[i] = kMultibyte;
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  table[0x7F] = kUnicode;  // allowed in JSON, but unprintable on terminals
  return table;
}
constexpr auto kEscapes = make_escapes();

/// Whether one of eight bytes cannot stand in a JSON string as it is.
bool needs_escape(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  const auto control = (word - kOnes * 0x20) & ~word & kHigh;
  const auto above = (((word & ~kHigh) + kOnes) | word) & kHigh;  // 0x7F and more
  return (control | above | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\')) != 0;
}

/// Number of bytes at the beginning that a JSON string takes as they are, eight at a time.
std::size_t plain_prefix(std::string_view text) {
  std::size_t i = 0;
  while (i + 8 <= text.size() && !needs_escape(text.data() + i)) i += 8;
  if (i > 0 && i + 8 > text.size() && !needs_escape(text.data() + text.size() - 8)) {
    return text.size();  // the last eight, some of them seen before
  }
  while (i < text.size() && kEscapes[static_cast<unsigned char>(text[i])] == kPlain) ++i;
  return i;
}

/// A string literal of text that needs no escaping, with a comma before it or a colon behind it, in
/// one step: several appends to the string would cost more than the copy.
void append_plain(std::string& out, std::string_view text, bool comma, bool colon) {
  const std::size_t old_size = out.size();
  const std::size_t new_size = old_size + text.size() + 2 + comma + colon;
  out.resize_and_overwrite(new_size, [&](char* start, std::size_t) {
    char* at = start + old_size;
    if (comma) *at++ = ',';
    *at++ = '"';
    std::memcpy(at, text.data(), text.size());
    at += text.size();
    *at++ = '"';
    if (colon) *at = ':';
    return new_size;
  });
}

void append_unicode_escape(std::string& out, unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  const char escape[6] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  out.append(escape, sizeof escape);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  while (true) {
    const auto plain = plain_prefix(text);
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text.front());
    const char escape = kEscapes[byte];
    std::size_t used = 1;
    if (escape == kMultibyte) {
      const auto length = utf8_length(text);
      used = length == 0 ? 1 : length;
      // U+FFFD, the replacement character, for what is no UTF-8.
      out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    } else if (escape == kUnicode) {
      append_unicode_escape(out, byte);
    } else {
      out += '\\';
      out += escape;
    }
    text.remove_prefix(used);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  if (plain_prefix(text) == text.size()) return append_plain(out, text, false, false);
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  if (plain_prefix(name) == name.size()) {
    append_plain(out_, name, comma_, true);
  } else {
    separate();
    append_json_string(out_, name);
    out_ += ':';
  }
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_double(out_, value);
  return *this;
}

JsonWriter& JsonWriter::fixed(std::int64_t value, int decimals) {
  separate();
  append_fixed(out_, value, decimals);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace causeway::text
