#include "platform/similar/flat_index.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace causeway::similar {

namespace {

constexpr std::size_t kStep = 16;  ///< numbers that AVX2 takes at once

std::int32_t dot_plain(const std::int16_t* query, const std::int8_t* row, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += query[i] * row[i];
  return sum;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::int32_t dot_avx2(const std::int16_t* query, const std::int8_t* row,
                                              std::size_t count) {
  __m256i sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < count; i += kStep) {
    const auto wide =
        _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i)));
    const auto asked = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + i));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide, asked));
  }
  const auto half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  const auto quarter = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xB1)));
}
bool has_avx2() { return __builtin_cpu_supports("avx2"); }
#else
std::int32_t dot_avx2(const std::int16_t* query, const std::int8_t* row, std::size_t count) {
  return dot_plain(query, row, count);
}
bool has_avx2() { return false; }
#endif

bool nearer(const Found& a, const Found& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.id < b.id;
}

}  // namespace

std::vector<float> unit_of(std::span<const float> vector) {
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  if (!std::isfinite(squares) || squares <= 1e-30) return {};
  const double by = 1 / std::sqrt(squares);
  std::vector<float> unit(vector.begin(), vector.end());
  for (float& x : unit) x = static_cast<float>(x * by);
  return unit;
}

FlatIndex::FlatIndex(std::size_t dimensions, std::size_t capacity)
    : dimensions_(dimensions),
      padded_((dimensions + kStep - 1) / kStep * kStep),
      capacity_(capacity),
      avx2_(has_avx2()) {}

FlatIndex::Row FlatIndex::fill(std::span<const float> unit, std::int8_t* bytes) const {
  float most = 0;
  for (const float x : unit) most = std::max(most, std::abs(x));
  const float scale = most / 127;
  double error = 0;
  for (std::size_t i = 0; i < unit.size(); ++i) {
    bytes[i] = static_cast<std::int8_t>(std::lround(unit[i] / scale));
    const double left = unit[i] - static_cast<double>(bytes[i]) * scale;
    error += left * left;
  }
  return {.scope = 0, .scale = scale, .error = static_cast<float>(std::sqrt(error))};
}

bool FlatIndex::add(std::uint64_t id, std::uint64_t scope, std::span<const float> vector) {
  if (vector.size() != dimensions_) return false;
  const auto unit = unit_of(vector);
  if (unit.empty()) return false;
  const auto known = row_of_.find(id);
  if (known == row_of_.end() && ids_.size() >= capacity_) return false;
  const std::size_t at = known == row_of_.end() ? ids_.size() : known->second;
  if (known == row_of_.end()) {
    ids_.push_back(id);
    rows_.emplace_back();
    bytes_.resize(bytes_.size() + padded_);
    floats_.resize(floats_.size() + dimensions_);
    row_of_.emplace(id, at);
  }
  rows_[at] = fill(unit, bytes_.data() + at * padded_);
  rows_[at].scope = scope;
  std::ranges::copy(unit, floats_.begin() + static_cast<std::ptrdiff_t>(at * dimensions_));
  return true;
}

bool FlatIndex::remove(std::uint64_t id) {
  const auto found = row_of_.find(id);
  if (found == row_of_.end()) return false;
  const std::size_t at = found->second, last = ids_.size() - 1;
  row_of_.erase(found);
  if (at != last) {
    ids_[at] = ids_[last];
    rows_[at] = rows_[last];
    std::copy_n(bytes_.data() + last * padded_, padded_, bytes_.data() + at * padded_);
    std::copy_n(floats_.data() + last * dimensions_, dimensions_,
                floats_.data() + at * dimensions_);
    row_of_[ids_[at]] = at;
  }
  ids_.pop_back();
  rows_.pop_back();
  bytes_.resize(last * padded_);
  floats_.resize(last * dimensions_);
  return true;
}

std::vector<Found> FlatIndex::find(std::span<const float> vector, std::uint64_t scope,
                                   float threshold, std::size_t most) const {
  if (vector.size() != dimensions_ || most == 0) return {};
  const auto unit = unit_of(vector);
  if (unit.empty()) return {};
  std::vector<std::int8_t> bytes(padded_);
  const auto query = fill(unit, bytes.data());
  const std::vector<std::int16_t> wide(bytes.begin(), bytes.end());
  const auto dot = avx2_ ? dot_avx2 : dot_plain;
  std::vector<Found> best;  // a heap with the farthest in front
  float floor = threshold;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    const auto& row = rows_[i];
    if (row.scope != scope) continue;
    const auto rough = static_cast<float>(dot(wide.data(), bytes_.data() + i * padded_, padded_)) *
                       query.scale * row.scale;
    // |a·b - a'·b'| is at most |a - a'| |b| + |a'| |b - b'|; 1e-4 for the rounding of all this.
    if (rough + row.error + query.error * (1 + row.error) + 1e-4F < floor) continue;
    float exact = 0;
    const float* numbers = floats_.data() + i * dimensions_;
    for (std::size_t k = 0; k < dimensions_; ++k) exact += unit[k] * numbers[k];
    if (exact < floor) continue;
    best.push_back({.id = ids_[i], .similarity = exact});
    std::ranges::push_heap(best, nearer);
    if (best.size() > most) {
      std::ranges::pop_heap(best, nearer);
      best.pop_back();
    }
    if (best.size() == most) floor = std::max(floor, best.front().similarity);
  }
  std::ranges::sort(best, nearer);
  return best;
}

}  // namespace causeway::similar
