// Matrices of weights in 4 bits, as published models are quantised (blocks of 32 weights share a
// scale), and their product with rows of numbers in 8 bits. Written for one thread: the
// instructions that this processor has are found out when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace causeway::bert {

inline constexpr std::size_t kBlock = 32;    // numbers that share a scale
inline constexpr std::size_t kOutputs = 8;   // outputs that are computed together
inline constexpr std::size_t kTogether = 8;  // rows that are computed together

/// Rows of numbers, quantised: value = number * scale, and the sum of each block.
class Rows8 {
 public:
  /// `values`: `rows` times `columns` (a multiple of kBlock), row by row. Rows of zeros fill up to
  /// a multiple of kTogether.
  void quantise(const float* values, std::size_t rows, std::size_t columns);

  std::size_t rows() const { return rows_; }  // with those of zeros
  std::size_t columns() const { return columns_; }
  const std::int8_t* row(std::size_t i) const { return numbers_.data() + i * columns_; }
  const float* scales(std::size_t row) const { return scales_.data() + row * blocks(); }
  const std::int32_t* sums(std::size_t row) const { return sums_.data() + row * blocks(); }
  std::size_t blocks() const { return columns_ / kBlock; }

 private:
  std::size_t rows_ = 0, columns_ = 0;
  std::vector<std::int8_t> numbers_;
  std::vector<float> scales_;
  std::vector<std::int32_t> sums_;
};

/// How a product is computed: all give the same but for rounding.
enum class Instructions : std::uint8_t { Plain, Avx2, Vnni };
/// The best that this processor has.
Instructions best_instructions();

class Matrix4 {
 public:
  explicit Matrix4(std::size_t columns = 0) : columns_(columns) {}

  /// Appends outputs. `packed`: columns / 2 bytes for each, two weights a byte, the low half first,
  /// weight = (half - 8) * scale; `scales`: columns / kBlock for each; `bias`: one for each.
  void add(std::span<const std::uint8_t> packed, std::span<const float> scales,
           std::span<const float> bias);

  std::size_t columns() const { return columns_; }
  /// Outputs of a row of a product: those that were added, filled up to a multiple of kOutputs.
  std::size_t width() const { return (outputs_ + kOutputs - 1) / kOutputs * kOutputs; }

  /// `out`: in.rows() times width(), row by row.
  void multiply(const Rows8& in, float* out, Instructions how) const;

 private:
  struct Kernels;
  std::size_t outputs_ = 0, columns_ = 0;
  // Of each eight outputs, of each block: 4 times 32 bytes, in which an output has 4 bytes. Their
  // low halves are weights 8 j to 8 j + 3 of the block, the high halves the four behind.
  std::vector<std::uint8_t> weights_;
  std::vector<float> scales_;  // of each eight outputs, of each block: 8
  std::vector<float> bias_;
};

}  // namespace causeway::bert
