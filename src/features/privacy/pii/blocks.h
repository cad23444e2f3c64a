// Sixteen bytes at a time, in the compiler's portable vectors.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {

using Block = std::uint8_t __attribute__((vector_size(16)));
inline constexpr std::size_t kBlock = sizeof(Block);

inline Block load_block(const char* bytes) {
  Block block;
  std::memcpy(&block, bytes, kBlock);
  return block;
}

/// The first byte that is not 0 in `flags`, of which each is 0 or 0xff; kBlock where there is none.
template <class Flags>
std::size_t first_of(const Flags& flags) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t halves[2];
  std::memcpy(halves, &flags, kBlock);
  if (halves[0] != 0) return static_cast<std::size_t>(std::countr_zero(halves[0])) / 8;
  if (halves[1] != 0) return static_cast<std::size_t>(std::countr_zero(halves[1])) / 8 + 8;
  return kBlock;
}

/// The first byte from `at` on for which `one` holds, or `many` for a block of them: the same
/// bytes. The text's size where there is none.
template <class Many, class One>
std::size_t find_byte(std::string_view text, std::size_t at, const Many& many, const One& one) {
  for (; text.size() - at >= kBlock; at += kBlock) {
    const std::size_t found = first_of(many(load_block(text.data() + at)));
    if (found < kBlock) return at + found;
  }
  while (at < text.size() && !one(text[at])) ++at;
  return at;
}

/// Where the ASCII letters from `at` on end.
inline std::size_t letters_end(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    const Block small = block | 0x20;
    return (small < 'a') | (small > 'z');
  };
  return find_byte(text, at, many, [](char c) { return !is_letter(c); });
}

}  // namespace causeway::pii
