// Numbers appended to a string as decimal text: no locale, no allocation but the string's own
// growth.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>

namespace causeway::text {

template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
void append_int(std::string& out, T value) {
  char digits[std::numeric_limits<T>::digits10 + 3];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

/// Shortest form that reads back as the same number: "0.1", "1e+30", "nan", "inf", "-inf".
void append_double(std::string& out, double value);

/// As append_fixed(), into memory that has room for 22 bytes; answers the end of what was put.
char* put_fixed(char* at, std::int64_t value, int decimals);

/// `value` / 10^`decimals` exactly, without zeros at the end: (1500000, 6) is "1.5", (-20, 3) is
/// "-0.02". `decimals` is 0 to 18.
void append_fixed(std::string& out, std::int64_t value, int decimals);

/// Money in micro-units of the currency: 1250000 is "1.25".
inline void append_money(std::string& out, std::int64_t micro_units) {
  append_fixed(out, micro_units, 6);
}

}  // namespace causeway::text
