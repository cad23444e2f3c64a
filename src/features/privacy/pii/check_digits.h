// Small arithmetic that all check digits are made of.
#pragma once

#include <initializer_list>
#include <string_view>

namespace causeway::pii::checks {

inline int digit(std::string_view text, std::size_t at) { return text[at] - '0'; }

/// A digit as itself, a letter as 10 to 35.
inline int letter_value(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

/// The sum of the first digits by these weights.
inline int weighted(std::string_view digits, std::initializer_list<int> weights) {
  int sum = 0;
  std::size_t i = 0;
  for (const int weight : weights) sum += digit(digits, i++) * weight;
  return sum;
}

inline int remainder_97(std::string_view alphanumeric, int before) {
  int rest = before;
  for (const char c : alphanumeric) {
    const int value = letter_value(c);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

inline long number(std::string_view digits) {
  long value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

}  // namespace causeway::pii::checks
