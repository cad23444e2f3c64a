#include "platform/text/json_writer.h"

#include <array>
#include <cmath>

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

void append_unicode_escape(std::string& out, unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  const char escape[6] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
  out.append(escape, sizeof escape);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t start = 0;  // of the run that can be copied as it is
  std::size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == kPlain) {
      ++i;
      continue;
    }
    if (escape == kMultibyte) {
      if (const auto length = utf8_length(text.substr(i)); length != 0) {
        i += length;
        continue;
      }
    }
    out.append(text, start, i - start);
    if (escape == kMultibyte) {
      out += "\xEF\xBF\xBD";  // U+FFFD, the replacement character
    } else if (escape == kUnicode) {
      append_unicode_escape(out, byte);
    } else {
      out += '\\';
      out += escape;
    }
    start = ++i;
  }
  out.append(text, start, text.size() - start);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
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
