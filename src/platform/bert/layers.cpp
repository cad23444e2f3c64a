#include "platform/bert/layers.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace causeway::bert {
namespace {

using F8 = float __attribute__((vector_size(32)));
using I8 = std::int32_t __attribute__((vector_size(32)));

constexpr std::size_t kLanes = 8;
constexpr std::size_t kTile =
    4 * kLanes;  // numbers in flight at once: what adds up waits for itself

// Each part is written once and compiled twice, so it must become part of its caller. Vectors go by
// reference: how they are handed over differs with the instructions.
#define CAUSEWAY_INLINE [[gnu::always_inline]] inline
#if defined(__x86_64__)
#define CAUSEWAY_AVX2 [[gnu::target("avx2,fma")]]
#else
#define CAUSEWAY_AVX2
#endif

CAUSEWAY_INLINE void load(F8& x, const float* from) { std::memcpy(&x, from, sizeof x); }
CAUSEWAY_INLINE void store(float* to, const F8& x) { std::memcpy(to, &x, sizeof x); }

CAUSEWAY_INLINE float sum_of(const F8& x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

// e to the x: 2 to the whole part by its bits, the rest by a polynomial (Taylor to the sixth power,
// on ±ln 2 / 2: 2e-8). Below e^-87 it is that.
CAUSEWAY_INLINE void exponential(F8& x) {
  constexpr float kRounding = 12582912.0F;  // 1.5 * 2^23: what is added to it becomes whole
  const F8 least = F8{} - 87.0F, most = F8{} + 88.0F;
  x = x < least ? least : x;
  x = x > most ? most : x;
  const F8 shifted = x * 1.44269504F + kRounding;
  const F8 whole = shifted - kRounding;
  const F8 r = (x - whole * 0.693359375F) + whole * 2.12194440e-4F;
  F8 p = r * (1.0F / 720) + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  I8 bits, power;
  std::memcpy(&bits, &p, sizeof bits);
  std::memcpy(&power, &shifted, sizeof power);
  bits += power << 23;
  std::memcpy(&x, &bits, sizeof x);
}

CAUSEWAY_INLINE void gelu_of(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    F8 value;
    load(value, x + i);
    const F8 size = value < F8{} ? -value : value;
    const F8 z = size * 0.70710678F;
    F8 rest = -z * z;
    exponential(rest);
    const F8 t = 1.0F / (1.0F + 0.3275911F * z);
    F8 p = t * 1.061405429F - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    const F8 beyond = 0.5F * p * t * rest;  // 1 - Φ(|x|)
    store(x + i, value * (value < F8{} ? beyond : 1.0F - beyond));
  }
}

CAUSEWAY_INLINE void normalise(float* x, const float* add, const float* weight, const float* bias,
                               std::size_t rows, std::size_t columns, float epsilon) {
  const auto count = static_cast<float>(columns);
  for (std::size_t row = 0; row < rows; ++row) {
    float* at = x + row * columns;
    F8 sum{}, squares{}, value, other;
    for (std::size_t i = 0; i < columns; i += kLanes) {
      load(value, at + i);
      if (add) {
        load(other, add + row * columns + i);
        value += other;
        store(at + i, value);
      }
      sum += value;
    }
    const float mean = sum_of(sum) / count;
    for (std::size_t i = 0; i < columns; i += kLanes) {
      load(value, at + i);
      value -= mean;
      squares += value * value;
    }
    const float scale = 1 / std::sqrt(sum_of(squares) / count + epsilon);
    for (std::size_t i = 0; i < columns; i += kLanes) {
      load(value, at + i);
      load(other, weight + i);
      value = (value - mean) * scale * other;
      load(other, bias + i);
      store(at + i, value + other);
    }
  }
}

CAUSEWAY_INLINE void soften(float* scores, std::size_t rows, std::size_t padded) {
  float most = scores[0];
  for (std::size_t j = 1; j < rows; ++j) most = scores[j] > most ? scores[j] : most;
  F8 value, all{};
  for (std::size_t j = 0; j < padded; j += kLanes) {
    load(value, scores + j);
    value -= most;
    exponential(value);
    store(scores + j, value);
  }
  for (std::size_t j = rows; j < padded; ++j) scores[j] = 0;
  for (std::size_t j = 0; j < padded; j += kLanes) {
    load(value, scores + j);
    all += value;
  }
  const float share = 1 / sum_of(all);
  for (std::size_t j = 0; j < padded; j += kLanes) {
    load(value, scores + j);
    store(scores + j, value * share);
  }
}

// Four vectors of sums of vectors times numbers: `from` and `by` go on by a step each time.
CAUSEWAY_INLINE void weigh(const float* from, std::size_t from_step, const float* by,
                           std::size_t by_step, std::size_t count, float scale, float* to) {
  F8 a{}, b{}, c{}, d{}, value;
  for (std::size_t i = 0; i < count; ++i, from += from_step, by += by_step) {
    load(value, from);
    a += value * *by;
    load(value, from + kLanes);
    b += value * *by;
    load(value, from + 2 * kLanes);
    c += value * *by;
    load(value, from + 3 * kLanes);
    d += value * *by;
  }
  store(to, a * scale);
  store(to + kLanes, b * scale);
  store(to + 2 * kLanes, c * scale);
  store(to + 3 * kLanes, d * scale);
}

CAUSEWAY_INLINE void attend_head(const float* qkv, float* out, std::size_t rows, std::size_t width,
                                 std::size_t size, float* space) {
  const std::size_t padded = (rows + kTile - 1) / kTile * kTile;
  float* keys = space;                    // size times padded: the head's keys, turned
  float* scores = space + size * padded;  // of one row
  std::memset(keys, 0, size * padded * sizeof(float));
  for (std::size_t j = 0; j < rows; ++j) {
    for (std::size_t d = 0; d < size; ++d) keys[d * padded + j] = qkv[j * 3 * width + width + d];
  }
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < padded; j += kTile) {
      weigh(keys + j, padded, qkv + i * 3 * width, 1, size, scale, scores + j);
    }
    soften(scores, rows, padded);
    for (std::size_t d = 0; d < size; d += kTile) {
      weigh(qkv + 2 * width + d, 3 * width, scores, 1, rows, 1, out + i * width + d);
    }
  }
}

CAUSEWAY_INLINE void attend_all(const float* qkv, float* out, std::size_t rows, std::size_t heads,
                                std::size_t size, float* space) {
  for (std::size_t head = 0; head < heads; ++head) {
    attend_head(qkv + head * size, out + head * size, rows, heads * size, size, space);
  }
}

CAUSEWAY_AVX2 void gelu_avx2(float* x, std::size_t count) { gelu_of(x, count); }
CAUSEWAY_AVX2 void normalise_avx2(float* x, const float* add, const float* weight,
                                  const float* bias, std::size_t rows, std::size_t columns,
                                  float epsilon) {
  normalise(x, add, weight, bias, rows, columns, epsilon);
}
CAUSEWAY_AVX2 void attend_avx2(const float* qkv, float* out, std::size_t rows, std::size_t heads,
                               std::size_t size, float* space) {
  attend_all(qkv, out, rows, heads, size, space);
}

}  // namespace

void add_and_normalise(float* x, const float* add, const float* weight, const float* bias,
                       std::size_t rows, std::size_t columns, float epsilon, bool avx2) {
  if (avx2) return normalise_avx2(x, add, weight, bias, rows, columns, epsilon);
  normalise(x, add, weight, bias, rows, columns, epsilon);
}

void gelu(float* x, std::size_t count, bool avx2) {
  if (avx2) return gelu_avx2(x, count);
  gelu_of(x, count);
}

std::size_t attention_space(std::size_t rows, std::size_t size) {
  return (rows + kTile) * (size + 1);
}

void attend(const float* qkv, float* out, std::size_t rows, std::size_t heads, std::size_t size,
            float* space, bool avx2) {
  if (avx2) return attend_avx2(qkv, out, rows, heads, size, space);
  attend_all(qkv, out, rows, heads, size, space);
}

}  // namespace causeway::bert
