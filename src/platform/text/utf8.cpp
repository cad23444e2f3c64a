#include "platform/text/utf8.h"

#include <cstdint>
#include <cstring>

namespace causeway::text {
namespace {

constexpr bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// What a first byte promises: 1 to 4 bytes, 0 for a byte that begins nothing.
constexpr std::size_t promised(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

/// The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
constexpr bool second_fits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return is_continuation(second);
  }
}

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Number of plain ASCII bytes at the beginning, eight at a time.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < text.size() && byte_at(text, i) < 0x80) ++i;
  return i;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = byte_at(text, 0);
  const auto length = promised(first);
  if (length <= 1) return length;
  if (text.size() < length || !second_fits(first, byte_at(text, 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(byte_at(text, i))) return 0;
  }
  return length;
}

std::size_t utf8_valid_prefix(std::string_view text) {
  const std::size_t size = text.size();
  while (true) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return size;
    const auto length = utf8_length(text);
    if (length == 0) return size - text.size();
    text.remove_prefix(length);
  }
}

bool utf8_valid(std::string_view text) { return utf8_valid_prefix(text) == text.size(); }

std::string_view utf8_cut(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  // Only a character that begins in the last three bytes before the cut can be cut by it.
  for (std::size_t back = 1; back <= 3 && back <= max_bytes; ++back) {
    const auto start = max_bytes - back;
    if (is_continuation(byte_at(text, start))) continue;
    if (utf8_length(text.substr(start)) > back) return text.substr(0, start);
    break;
  }
  return text.substr(0, max_bytes);
}

std::size_t utf8_incomplete_tail(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto first = byte_at(text, text.size() - back);
    if (is_continuation(first)) continue;
    if (promised(first) <= back) return 0;
    if (back >= 2 && !second_fits(first, byte_at(text, text.size() - back + 1))) return 0;
    return back;
  }
  return 0;
}

std::size_t utf8_count(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const auto ascii = ascii_prefix(text);
    count += ascii;
    text.remove_prefix(ascii);
    if (text.empty()) break;
    const auto length = utf8_length(text);
    text.remove_prefix(length == 0 ? 1 : length);
    ++count;
  }
  return count;
}

}  // namespace causeway::text
