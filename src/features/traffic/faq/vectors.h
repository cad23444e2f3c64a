// What the entries' questions mean, as an embedding model has it: vectors of unit length, and the
// entries nearest to another one. Immutable, as the table is that it was made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/traffic/faq/table.h"
#include "platform/base/error.h"

namespace causeway::faq {

using Vector = std::vector<float>;
using VectorPtr = std::shared_ptr<const Vector>;
/// By the question's text, as staff wrote it.
using VectorMap = std::unordered_map<std::string, VectorPtr>;

struct Near {
  const Entry* entry = nullptr;  // of the table that is looked in
  double similarity = 0;         // cosine, -1 to 1
  std::string_view wording{};    // that is so near; lives as long as the vectors
};

class Vectors {
 public:
  static constexpr std::size_t kMostRows = 20'000;  // wordings
  static constexpr std::size_t kMostDimensions = 4096;
  static constexpr std::size_t kMostFloats = 16'000'000;  // 64 MB

  Vectors() = default;
  /// Rows for all wordings of the table that `known` has vectors for.
  Vectors(const FaqTable& table, const VectorMap& known);

  std::size_t rows() const { return rows_.size(); }
  /// Multiplications that a look-up takes.
  std::size_t work() const { return values_.size(); }
  /// Entries of `table` for this asker that are at least so near to a vector of unit length, the
  /// nearest first, at most `most`. What the table has in another version is not taken.
  std::vector<Near> nearest(std::span<const float> question, const FaqTable& table,
                            const Asking& asking, double threshold, std::size_t most) const;

 private:
  struct Row {
    EntryPtr entry;
    std::size_t question;
  };
  std::size_t dimensions_ = 0;
  std::vector<Row> rows_;
  std::vector<float> values_;
};

/// The vectors of an answer to /v1/embeddings, in the order of the inputs, made unit length. Error
/// "faq_embeddings" for anything but `count` of the same size.
Result<std::vector<Vector>> read_embeddings(std::string_view body, std::size_t count);
/// The request for them.
std::string embeddings_body(std::string_view model, std::span<const std::string_view> inputs);

}  // namespace causeway::faq
