// What an address may begin with: cheap, and true wherever the patterns of addresses.cpp match, so
// that these are asked only where there is something to find.
#pragma once

#include <string_view>

namespace causeway::pii {

/// "221B Baker", "12-14, N", "5 42nd": what stands at a number.
bool may_be_english(std::string_view text, std::size_t begin);
/// "12 rue", "4 bis, place".
bool may_be_french(std::string_view text, std::size_t begin);
/// "NW1 6XE", "K1A 0B1" at a group [begin, end) of two to four letters and digits.
bool may_be_postcode(std::string_view text, std::size_t begin, std::size_t end);

/// Whether a word ends as German and Dutch streets do; a number follows.
bool street_word(std::string_view word);
/// "Str", "Allee", … at the beginning of a text: the word before is part of the street.
bool begins_with_street(std::string_view text);
// Of words that begin with a capital:
/// "Am", "Zum", …
bool german_preposition(std::string_view word);
/// Spanish, Italian and Portuguese streets begin so.
bool street_head(std::string_view word);
bool box_head(std::string_view word);

}  // namespace causeway::pii
