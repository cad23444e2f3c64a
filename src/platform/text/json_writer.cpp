#include "platform/text/json_writer.h"

#include <array>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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
bool needs_escape(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHigh; };
  const auto control = (word - kOnes * 0x20) & ~word & kHigh;
  const auto above = (((word & ~kHigh) + kOnes) | word) & kHigh;  // 0x7F and more
  return (control | above | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\')) != 0;
}

std::uint64_t load_eight(const char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, 8);
  return word;
}

/// Copies eight bytes; true when one of them needs escaping.
bool copy_eight(char* to, const char* from) {
  const auto word = load_eight(from);
  std::memcpy(to, &word, 8);
  return needs_escape(word);
}

#if defined(__SSE2__)
/// The same for sixteen: most strings of a log line or an error body are two or three such steps.
bool copy_sixteen(char* to, const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  // Signed: bytes from 0x80 on are negative, and so below 0x20 as control characters are.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
  return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quote), _mm_or_si128(backslash, del)));
}
#else
bool copy_sixteen(char* to, const char* from) {
  const bool first = copy_eight(to, from);
  return copy_eight(to + 8, from + 8) || first;
}
#endif

/// Copies `text`; false when something in it needs escaping, and what was copied is of no use. The
/// last step takes the last bytes, some of them for the second time.
bool copy_plain(char* to, std::string_view text) {
  const std::size_t size = text.size();
  const char* from = text.data();
  if (size >= 16) {
    for (std::size_t i = 0; i + 16 <= size; i += 16) {
      if (copy_sixteen(to + i, from + i)) return false;
    }
    return !copy_sixteen(to + size - 16, from + size - 16);
  }
  if (size >= 8) return !copy_eight(to, from) && !copy_eight(to + size - 8, from + size - 8);
  for (std::size_t i = 0; i < size; ++i) {
    if (kEscapes[static_cast<unsigned char>(from[i])] != kPlain) return false;
    to[i] = from[i];
  }
  return true;
}

/// Number of bytes at the beginning that a JSON string takes as they are.
std::size_t plain_prefix(std::string_view text) {
  std::size_t i = 0;
  while (i + 8 <= text.size() && !needs_escape(load_eight(text.data() + i))) i += 8;
  while (i < text.size() && kEscapes[static_cast<unsigned char>(text[i])] == kPlain) ++i;
  return i;
}

/// Appends `text` as a string literal in one pass; false, with `out` as it was, when something in
/// it needs escaping.
bool append_if_plain(std::string& out, std::string_view text, bool comma) {
  const std::size_t old_size = out.size();
  bool plain = false;
  out.resize_and_overwrite(old_size + text.size() + 3, [&](char* start, std::size_t) {
    char* at = start + old_size;
    if (comma) *at++ = ',';
    *at++ = '"';
    plain = copy_plain(at, text);
    if (!plain) return old_size;
    at += text.size();
    *at++ = '"';
    return static_cast<std::size_t>(at - start);
  });
  return plain;
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
  if (append_if_plain(out, text, false)) return;
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

char* put_json_string(char* at, std::string_view text) {
  *at++ = '"';
  if (copy_plain(at, text)) {
    at += text.size();
  } else {
    std::string escaped;
    append_json_escaped(escaped, text);
    at += escaped.copy(at, escaped.size());
  }
  *at++ = '"';
  return at;
}

JsonWriter& JsonWriter::key(JsonKey key) {
  const auto name = key.name();
  const std::size_t old_size = out_.size();
  out_.resize_and_overwrite(old_size + name.size() + 4, [&](char* start, std::size_t) {
    char* at = start + old_size;
    if (comma_) *at++ = ',';
    *at++ = '"';
    std::memcpy(at, name.data(), name.size());
    at += name.size();
    *at++ = '"';
    *at++ = ':';
    return static_cast<std::size_t>(at - start);
  });
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::key_at_run_time(std::string_view name) {
  string(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  if (!append_if_plain(out_, value, comma_)) {
    separate();
    append_json_string(out_, value);
  }
  comma_ = true;
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
