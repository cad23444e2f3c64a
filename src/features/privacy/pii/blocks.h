// Sixteen bytes at a time, in the compiler's portable vectors.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace causeway::pii {

using Block = std::uint8_t __attribute__((vector_size(16)));
inline constexpr std::size_t kBlock = sizeof(Block);

inline Block load_block(const char* bytes) {
  Block block;
  std::memcpy(&block, bytes, kBlock);
  return block;
}

/// Where every byte that is not 0 in `flags` says yes.
template <class Flags>
bool any(const Flags& flags) {
  std::uint64_t halves[2];
  std::memcpy(halves, &flags, kBlock);
  return (halves[0] | halves[1]) != 0;
}

/// The first byte from `at` on for which `one` holds; whole blocks without one are passed over by
/// `many`. The text's size where there is none.
template <class Many, class One>
std::size_t find_byte(std::string_view text, std::size_t at, const Many& many, const One& one) {
  for (; at < text.size(); ++at) {
    while (text.size() - at >= kBlock && !any(many(load_block(text.data() + at)))) at += kBlock;
    const std::size_t end = text.size() - at >= kBlock ? at + kBlock : text.size();
    for (; at < end; ++at) {
      if (one(text[at])) return at;
    }
    --at;
  }
  return text.size();
}

}  // namespace causeway::pii
