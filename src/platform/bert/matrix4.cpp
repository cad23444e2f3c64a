#include "platform/bert/matrix4.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace causeway::bert {
namespace {

constexpr std::size_t kVectors = 4;  // of a block
constexpr std::size_t kVector = 32;  // bytes
constexpr std::int32_t kMiddle = 8;  // what half a byte has in it for a weight of zero

}  // namespace

void Rows8::quantise(const float* values, std::size_t rows, std::size_t columns) {
  rows_ = (rows + kTogether - 1) / kTogether * kTogether;
  columns_ = columns;
  numbers_.assign(rows_ * columns, 0);
  scales_.assign(rows_ * blocks(), 0);
  sums_.assign(rows_ * blocks(), 0);
  for (std::size_t block = 0; block < rows * blocks(); ++block) {
    const float* in = values + block * kBlock;
    std::int8_t* out = numbers_.data() + block * kBlock;
    float largest = 0;
    for (std::size_t i = 0; i < kBlock; ++i) largest = std::max(largest, std::fabs(in[i]));
    if (!(largest > 0)) continue;
    const float inverse = 127 / largest;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      // Adding this number rounds to a whole one, which then stands in the lowest bits.
      constexpr float kRounding = 12582912.0F;  // 1.5 * 2^23
      const float rounded = in[i] * inverse + kRounding;
      std::int32_t bits;
      std::memcpy(&bits, &rounded, sizeof bits);
      const auto number = static_cast<std::int8_t>(bits & 0xFF);
      out[i] = number;
      sum += number;
    }
    scales_[block] = largest / 127;
    sums_[block] = sum;
  }
}

void Matrix4::add(std::span<const std::uint8_t> packed, std::span<const float> scales,
                  std::span<const float> bias) {
  const std::size_t blocks = columns_ / kBlock, first = outputs_;
  outputs_ += bias.size();
  const std::size_t groups = width() / kOutputs;
  // Halves of 8 are weights of zero, for the outputs that only fill up.
  weights_.resize(groups * blocks * kVectors * kVector, kMiddle << 4 | kMiddle);
  scales_.resize(groups * blocks * kOutputs, 0);
  bias_.resize(width(), 0);
  const auto half = [&](std::size_t output, std::size_t column) {
    const std::uint8_t both = packed[output * (columns_ / 2) + column / 2];
    return static_cast<std::uint8_t>(column % 2 == 0 ? both & 15 : both >> 4);
  };
  for (std::size_t i = 0; i < bias.size(); ++i) {
    const std::size_t group = (first + i) / kOutputs, lane = (first + i) % kOutputs;
    bias_[first + i] = bias[i];
    for (std::size_t block = 0; block < blocks; ++block) {
      const std::size_t place = group * blocks + block;
      scales_[place * kOutputs + lane] = scales[i * blocks + block];
      for (std::size_t j = 0; j < kVectors * 4; ++j) {
        const std::size_t column = block * kBlock + j / 4 * 8 + j % 4;
        weights_[(place * kVectors + j / 4) * kVector + lane * 4 + j % 4] =
            static_cast<std::uint8_t>(half(i, column) | half(i, column + 4) << 4);
      }
    }
  }
}

struct Matrix4::Kernels {
  static void plain(const Matrix4& matrix, const Rows8& in, float* out);
#if defined(__x86_64__)
  static void avx2(const Matrix4& matrix, const Rows8& in, float* out);
  static void vnni(const Matrix4& matrix, const Rows8& in, float* out);
#endif
};

// In the compiler's portable vectors: eight outputs at a time, of which a product with one number
// fits into 16 bits, and so does the sum of sixteen of them.
void Matrix4::Kernels::plain(const Matrix4& matrix, const Rows8& in, float* out) {
  using Lanes = std::int16_t __attribute__((vector_size(16)));
  const std::size_t width = matrix.width(), blocks = in.blocks();
  for (std::size_t row = 0; row < in.rows(); ++row) {
    std::memcpy(out + row * width, matrix.bias_.data(), width * sizeof(float));
  }
  for (std::size_t place = 0; place < width / kOutputs * blocks; ++place) {
    const std::size_t group = place / blocks, block = place % blocks;
    const std::uint8_t* weights = matrix.weights_.data() + place * kVectors * kVector;
    Lanes columns[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
      for (std::size_t lane = 0; lane < kOutputs; ++lane) {
        const std::uint8_t both = weights[i / 8 * kVector + lane * 4 + i % 4];
        columns[i][lane] = static_cast<std::int16_t>(i % 8 < 4 ? both & 15 : both >> 4);
      }
    }
    for (std::size_t row = 0; row < in.rows(); ++row) {
      const std::int8_t* numbers = in.row(row) + block * kBlock;
      Lanes first{}, second{};
      for (std::size_t i = 0; i < kBlock / 2; ++i) {
        first += columns[i] * static_cast<std::int16_t>(numbers[i]);
        second += columns[i + kBlock / 2] * static_cast<std::int16_t>(numbers[i + kBlock / 2]);
      }
      float* sums = out + row * width + group * kOutputs;
      for (std::size_t lane = 0; lane < kOutputs; ++lane) {
        const int product = first[lane] + second[lane] - kMiddle * in.sums(row)[block];
        sums[lane] += static_cast<float>(product) *
                      (matrix.scales_[place * kOutputs + lane] * in.scales(row)[block]);
      }
    }
  }
}

#if defined(__x86_64__)

namespace {

std::int32_t four(const std::int8_t* numbers) {
  std::int32_t word;
  std::memcpy(&word, numbers, sizeof word);
  return word;
}

}  // namespace

// A pair of products is at most 2 * 15 * 127; eight of them fit into 16 bits.
[[gnu::target("avx2,fma")]] void Matrix4::Kernels::avx2(const Matrix4& matrix, const Rows8& in,
                                                        float* out) {
  constexpr std::size_t kRows = 4;  // with more the sixteen registers do not suffice
  const std::size_t width = matrix.width(), blocks = in.blocks();
  const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
  for (std::size_t group = 0; group < width / kOutputs; ++group) {
    for (std::size_t first = 0; first < in.rows(); first += kRows) {
      __m256 sums[kRows];
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r)
        sums[r] = _mm256_loadu_ps(matrix.bias_.data() + group * kOutputs);
      for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t place = group * blocks + block;
        const std::uint8_t* weights = matrix.weights_.data() + place * kVectors * kVector;
        const __m256 scales = _mm256_loadu_ps(matrix.scales_.data() + place * kOutputs);
        __m256i products[kRows] = {};
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kVectors; ++j) {
          const __m256i both =
              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + j * kVector));
          const __m256i a = _mm256_and_si256(both, low);
          const __m256i b = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
#pragma GCC unroll 8
          for (std::size_t r = 0; r < kRows; ++r) {
            const std::int8_t* numbers = in.row(first + r) + block * kBlock + j * 8;
            products[r] = _mm256_add_epi16(
                products[r], _mm256_maddubs_epi16(a, _mm256_set1_epi32(four(numbers))));
            products[r] = _mm256_add_epi16(
                products[r], _mm256_maddubs_epi16(b, _mm256_set1_epi32(four(numbers + 4))));
          }
        }
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          const __m256i whole =
              _mm256_sub_epi32(_mm256_madd_epi16(products[r], ones),
                               _mm256_set1_epi32(kMiddle * in.sums(first + r)[block]));
          sums[r] = _mm256_fmadd_ps(
              _mm256_cvtepi32_ps(whole),
              _mm256_mul_ps(scales, _mm256_set1_ps(in.scales(first + r)[block])), sums[r]);
        }
      }
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        _mm256_storeu_ps(out + (first + r) * width + group * kOutputs, sums[r]);
      }
    }
  }
}

[[gnu::target("avx2,fma,avx512f,avx512vl,avx512bw,avx512vnni")]] void Matrix4::Kernels::vnni(
    const Matrix4& matrix, const Rows8& in, float* out) {
  constexpr std::size_t kRows = kTogether;
  const std::size_t width = matrix.width(), blocks = in.blocks();
  const __m256i low = _mm256_set1_epi8(15);
  for (std::size_t group = 0; group < width / kOutputs; ++group) {
    for (std::size_t first = 0; first < in.rows(); first += kRows) {
      __m256 sums[kRows];
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r)
        sums[r] = _mm256_loadu_ps(matrix.bias_.data() + group * kOutputs);
      for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t place = group * blocks + block;
        const std::uint8_t* weights = matrix.weights_.data() + place * kVectors * kVector;
        const __m256 scales = _mm256_loadu_ps(matrix.scales_.data() + place * kOutputs);
        __m256i products[kRows];
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          products[r] = _mm256_set1_epi32(-kMiddle * in.sums(first + r)[block]);
        }
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kVectors; ++j) {
          const __m256i both =
              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + j * kVector));
          const __m256i a = _mm256_and_si256(both, low);
          const __m256i b = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
#pragma GCC unroll 8
          for (std::size_t r = 0; r < kRows; ++r) {
            const std::int8_t* numbers = in.row(first + r) + block * kBlock + j * 8;
            products[r] = _mm256_dpbusd_epi32(products[r], a, _mm256_set1_epi32(four(numbers)));
            products[r] = _mm256_dpbusd_epi32(products[r], b, _mm256_set1_epi32(four(numbers + 4)));
          }
        }
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kRows; ++r) {
          sums[r] = _mm256_fmadd_ps(
              _mm256_cvtepi32_ps(products[r]),
              _mm256_mul_ps(scales, _mm256_set1_ps(in.scales(first + r)[block])), sums[r]);
        }
      }
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        _mm256_storeu_ps(out + (first + r) * width + group * kOutputs, sums[r]);
      }
    }
  }
}

#endif

Instructions best_instructions() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma")) {
    return Instructions::Vnni;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Instructions::Avx2;
#endif
  return Instructions::Plain;
}

void Matrix4::multiply(const Rows8& in, float* out, Instructions how) const {
#if defined(__x86_64__)
  if (how == Instructions::Vnni) return Kernels::vnni(*this, in, out);
  if (how == Instructions::Avx2) return Kernels::avx2(*this, in, out);
#endif
  static_cast<void>(how);
  Kernels::plain(*this, in, out);
}

}  // namespace causeway::bert
