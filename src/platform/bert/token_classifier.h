// A BERT that gives each piece of a text a label: read from a file of weights in 4 bits, run on one
// thread. Which labels there are, and what they mean, is the file's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/bert/matrix4.h"
#include "platform/bert/word_pieces.h"

namespace causeway::bert {

class WeightsFile;

class TokenClassifier {
 public:
  struct Mark {
    std::uint16_t label = 0;  // its place in labels()
    float score = 0;          // its probability
  };

  /// A thread's working memory; grows to the longest text seen (4 MiB for 512 pieces).
  struct Memory {
    std::vector<float> hidden, wide, context, space;
    Rows8 rows;
  };

  /// Errors: Unavailable, with what is wrong with the file.
  static Result<std::unique_ptr<const TokenClassifier>> read(const std::string& path);
  ~TokenClassifier();

  const std::vector<std::string>& labels() const { return labels_; }
  const WordPieces& words() const { return words_; }
  /// The pieces that it can look at together.
  std::size_t max_pieces() const { return positions_ - 2; }

  /// The likeliest label of each piece. More than max_pieces() are not looked at: `out` ends
  /// before.
  void classify(std::span<const Piece> pieces, Memory& memory, std::vector<Mark>& out,
                Instructions how = best_instructions()) const;

 private:
  struct Layer;
  struct Norm {
    std::vector<float> weight, bias;
  };
  struct Embedding {
    std::vector<std::uint8_t> numbers;
    float scale = 0;
    int zero = 0;
    float at(std::size_t place) const {
      return static_cast<float>(static_cast<int>(numbers[place]) - zero) * scale;
    }
  };
  explicit TokenClassifier(WordPieces words);
  Result<void> load(const WeightsFile& file);
  void embed(std::span<const Piece> pieces, std::size_t rows, float* out) const;
  void run(const Layer& layer, std::size_t rows, Memory& memory, Instructions how) const;
  void pick(std::span<const float> scores, Mark& mark) const;

  WordPieces words_;
  std::vector<std::string> labels_;
  std::size_t width_ = 0, heads_ = 0, positions_ = 0;
  float epsilon_ = 0;
  Embedding word_embedding_, position_embedding_, type_embedding_;
  Norm norm_;
  std::vector<Layer> layers_;
  Matrix4 head_;
};

}  // namespace causeway::bert
