// What a finder hands over, in bytes of the plain text, before overlaps are settled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "features/privacy/pii/words.h"

namespace causeway::pii {

struct Candidate {
  std::uint32_t begin, end;
  std::uint32_t rule;  // number in the rule book
  float confidence;
};

/// What all finders are given of one text.
struct Scene {
  std::string_view text;
  const Words& words;
  Words::Memory& memory;
  Hits& hits;
  std::vector<Candidate>& found;

  /// The words in the text. Most texts have nothing that one could speak for, and are not asked.
  const Hits& with_words() const {
    if (!hits.words_known) words.find_words(text, memory, hits);
    return hits;
  }

  void add(std::size_t begin, std::size_t end, std::uint32_t rule, float confidence) const {
    found.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), rule, confidence});
  }
  int distance(std::uint32_t rule, std::size_t begin, std::size_t end) const {
    return word_distance(words, with_words(), text, rule, begin, end);
  }
  RuleSet near(std::size_t begin, std::size_t end) const {
    return rules_near(words, with_words(), begin, end);
  }
};

}  // namespace causeway::pii
