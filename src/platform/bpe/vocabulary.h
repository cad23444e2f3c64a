// A byte pair encoding: how many tokens a text is, and which. The vocabulary is read from the form
// in which OpenAI publishes its own: a line for each token, its bytes in base64 and its rank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/bpe/splitter.h"

namespace causeway::bpe {

class Vocabulary {
 public:
  /// Errors: InvalidRequest with the line at fault. Every byte must be a token, and the ranks the
  /// numbers from 0 on.
  static Result<Vocabulary> parse(std::string_view file, Cuts cuts);

  /// Special tokens are not looked for: their names in a text are text. Time grows as n log n with
  /// the longest word; one of more than 256 KiB is counted in parts of that, which may be a token
  /// more for each.
  std::uint64_t count(std::string_view text) const;
  std::vector<std::uint32_t> encode(std::string_view text) const;

 private:
  Result<void> add(std::string_view line);
  void index();
  /// Rank of the token with these bytes, kNoToken where there is none.
  std::uint32_t find(std::string_view bytes) const;
  std::string_view bytes_of(std::uint32_t rank) const;
  template <class Fn>
  void each_token(std::string_view text, Fn fn) const;
  template <class Fn>
  void merge(std::string_view piece, Fn fn) const;

  Cuts cuts_ = Cuts::Cl100k;
  std::string bytes_;                 // of all tokens, by rank
  std::vector<std::uint32_t> begin_;  // in bytes_, by rank; one more at the end
  std::vector<std::uint32_t> table_;  // open addressing: ranks, or kNoToken
  std::size_t longest_ = 0;
};

}  // namespace causeway::bpe
