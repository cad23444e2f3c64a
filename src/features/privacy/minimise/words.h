// The words of a text, as numbers to be compared: runs of letters and digits in any script, without
// case and accents. Scripts that put no space between words give pairs of neighbouring characters.
// Words that differ only in their ends are mostly forms of one, so that the first few letters
// stand for a word (McNamee and Mayfield, "Character N-Gram Tokenization for European Language Text
// Retrieval", 2004, compare it with stemmers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::minimise {

class Words {
 public:
  static constexpr int kLetters = 6;  // of a word that count; all of one with digits

  /// `text` outlives it. What is no UTF-8 separates words.
  explicit Words(std::string_view text) : text_(text) {}

  /// False at the end.
  bool next(std::uint64_t& word);

 private:
  char32_t character();

  std::string_view text_;
  std::size_t at_ = 0;
  char32_t before_ = 0;  // the last character of a script without spaces, if the next may pair
};

}  // namespace causeway::minimise
