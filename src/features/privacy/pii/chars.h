// Kinds of ASCII characters, without a locale.
#pragma once

#include <string_view>

namespace causeway::pii {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 0x20) : c; }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 0x20) : c; }

/// The character there, or a zero byte where the text has ended.
constexpr char at(std::string_view text, std::size_t i) { return i < text.size() ? text[i] : '\0'; }
/// The character before; a zero byte at the beginning.
constexpr char before(std::string_view text, std::size_t i) { return i > 0 ? text[i - 1] : '\0'; }

}  // namespace causeway::pii
