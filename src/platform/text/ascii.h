// Small things with ASCII text that protocols and settings need: comparing without case, trimming,
// strict numbers. Bytes above 127 are never changed and equal only themselves; the locale plays no
// part.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace causeway::text {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}
/// Space and tab: what HTTP calls optional white space.
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// Blank, or the end of a line.
constexpr bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

constexpr bool equals_ignore_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

constexpr bool starts_with_ignore_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignore_case(text.substr(0, prefix.size()), prefix);
}

constexpr bool ends_with_ignore_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         equals_ignore_case(text.substr(text.size() - suffix.size()), suffix);
}

/// Without white space (also ends of lines) on either side.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

inline std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

/// The whole text as a decimal number: digits, and a leading minus for signed types. No plus sign,
/// no spaces, nothing behind it; empty and out of range are nullopt.
template <std::integral T>
constexpr std::optional<T> parse_int(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 10);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// The whole text as a finite decimal number ("1.5", "2e3"; no hex, inf or nan).
std::optional<double> parse_double(std::string_view text);

}  // namespace causeway::text
