// The little language in which number rules say what a number looks like (rule.h), read once into
// forms of a fixed length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::pii {

/// Longest number without its spaces: one bit for each place fits into 64.
inline constexpr std::size_t kMaxNumber = 36;

struct Form {
  std::vector<std::uint64_t> places;  // what may stand there: bit 0 to 9 digits, 10 to 35 letters
  std::uint64_t digits = 0, letters = 0;  // places where only a digit, only a letter may stand
  std::uint64_t parts = 0;                // places before which it is usually parted
  std::uint64_t narrow = 0;               // places where not every digit or letter may stand
};

/// Ends the program where the shape is wrong: shapes are ours.
std::vector<Form> read_shape(std::string_view shape);

/// The same as a pattern for RE2, over a number without spaces in upper case.
std::string pattern_of(const Form& form);

/// Bit of a digit or capital letter.
constexpr std::uint64_t bit_of(char c) {
  return std::uint64_t{1} << (c <= '9' ? c - '0' : c - 'A' + 10);
}

}  // namespace causeway::pii
