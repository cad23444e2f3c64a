// The gate's lists: opposites, units, people, times, function words. Words are kept as stems.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::similar {

/// Without endings, roughly, the same way in all languages: "closing", "closes" and "close" are
/// one.
std::string stem(std::string_view word);

struct Entry {
  std::vector<std::pair<std::uint16_t, std::uint8_t>> groups;
  std::string unit, person, time, number;
  std::uint8_t modality = 0;
  std::uint8_t languages = 0;  ///< bit n: a function word of language n + 1
  bool function = false;
  bool negation = false;
  bool only = false;
  bool name = false;  ///< a name also where it is written small
};

/// What the lists say of a word in small letters; nullptr when it is in none.
const Entry* entry_of(const std::string& word);

/// The lists themselves (words_lists.cpp). A line is a group, `|` between sides, blanks between
/// words.
extern const std::string_view kOpposites;
/// A line: the canonical word, then others for it.
extern const std::string_view kUnits, kPeople, kTimes, kNumbers;
extern const std::string_view kNegations, kOnly, kNames, kMay, kMust, kShould;
/// One text a language: en, de, fr, es, it, nl.
extern const std::array<std::string_view, 6> kFunctionWords;

}  // namespace causeway::similar
