// Cuts a text into the pieces of words that a BERT knows by number (WordPiece): words in lower case
// without accents, marks by themselves, of each word the longest pieces that are in the vocabulary.
// The same as Hugging Face's BertNormalizer, BertPreTokenizer and WordPiece with `lowercase`, but
// for names of special tokens in a text, which are words as any other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/base/error.h"

namespace causeway::bert {

struct Piece {
  std::uint32_t id = 0;
  std::uint32_t begin = 0, end = 0;  // bytes of the text
  bool inside = false;               // goes on with the word of the piece before
};

class WordPieces {
 public:
  /// `words`: the vocabulary, a line each; "##" begins what stands inside of a word. Errors:
  /// Unavailable where [UNK], [CLS] or [SEP] is missing.
  static Result<WordPieces> make(std::string_view words);

  std::size_t size() const { return size_; }
  std::uint32_t begin_id() const { return begin_id_; }  // [CLS]
  std::uint32_t end_id() const { return end_id_; }      // [SEP]

  /// Replaces `out`. Bytes that are not UTF-8 are passed over. No more pieces than bytes.
  void cut(std::string_view utf8, std::vector<Piece>& out) const;

 private:
  class Cutter;
  using Table = std::unordered_map<std::string_view, std::uint32_t>;

  std::unique_ptr<const std::string> words_;  // what the tables look into
  Table first_, inside_;
  std::size_t size_ = 0;
  std::uint32_t unknown_id_ = 0, begin_id_ = 0, end_id_ = 0;
};

}  // namespace causeway::bert
