// Cuts a text into the pieces in which a byte pair encoding merges: words with what stands in front
// of them, up to three digits, signs, white space. OpenAI publishes the cuts as regular expressions
// with look-ahead and possessive repeats, which linear-time libraries do not have and backtracking
// ones may take for ever over; read by hand they are one pass. Letters, marks, digits and white
// space are as ICU knows them (Unicode 15 in Debian 12): characters that Unicode got later may be
// cut otherwise than by OpenAI's own program. Source: openai_public.py of the package tiktoken
// 0.14.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::bpe {

enum class Cuts : std::uint8_t { Cl100k, O200k };

class Splitter {
 public:
  /// Bytes that are not UTF-8 count as signs.
  Splitter(std::string_view text, Cuts cuts) : text_(text), cuts_(cuts) {}

  /// False at the end. The pieces joined are the text.
  bool next(std::string_view& piece);

 private:
  std::size_t end_of_piece() const;
  std::size_t word_cl100k(std::size_t from) const;
  std::size_t word_o200k(std::size_t from) const;
  std::size_t cased_word(std::size_t from, bool ends_in_lower) const;
  std::size_t contraction(std::size_t from) const;
  std::size_t white_space(std::size_t from) const;

  std::string_view text_;
  Cuts cuts_;
  std::size_t at_ = 0;
};

}  // namespace causeway::bpe
