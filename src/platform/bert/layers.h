// The parts of a transformer that are no products with weights: attention, GELU, layer
// normalisation. In the compiler's portable vectors; with AVX2 where the processor has it.
#pragma once

#include <cstddef>

namespace causeway::bert {

/// x = (x + add) normalised, times `weight`, plus `bias`: each of `rows` rows by itself. `add` may
/// be null. `columns` is a multiple of 8.
void add_and_normalise(float* x, const float* add, const float* weight, const float* bias,
                       std::size_t rows, std::size_t columns, float epsilon, bool avx2);

/// x = x * Φ(x), with the error function to 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical
/// Functions, 7.1.26).
void gelu(float* x, std::size_t count, bool avx2);

/// Softmax(Q Kᵀ / √size) V for each head. `qkv`: of each row, queries, keys and values of all
/// heads; `out`: rows times heads * size. `size` is a multiple of 32. `space` is working memory, of
/// attention_space() floats.
void attend(const float* qkv, float* out, std::size_t rows, std::size_t heads, std::size_t size,
            float* space, bool avx2);
std::size_t attention_space(std::size_t rows, std::size_t size);

}  // namespace causeway::bert
