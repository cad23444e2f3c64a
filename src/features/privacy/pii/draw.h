// Bytes that look random and follow from secret, kind, value and attempt.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "features/privacy/pii/kind.h"
#include "platform/crypto/hash.h"

namespace causeway::pii {

class Draw {
 public:
  Draw(Kind kind, std::string_view value, std::string_view secret, int attempt) {
    constexpr std::size_t kDrawn = 256;  // bytes; longer values draw them again
    std::string info(name_of(kind));
    info += '\0' + std::to_string(attempt) + '\0';
    info += value;
    bytes_ = crypto::hkdf(secret, "causeway pii pseudonym", info, kDrawn);
  }
  unsigned next(unsigned below) {
    const unsigned high = static_cast<unsigned char>(bytes_[at_++ % bytes_.size()]);
    const unsigned low = static_cast<unsigned char>(bytes_[at_++ % bytes_.size()]);
    return (high << 8 | low) % below;
  }
  /// For what needs more than there is here.
  std::uint64_t seed() {
    std::uint64_t seed = 0;
    for (int i = 0; i < 4; ++i) seed = seed << 16 | next(1U << 16);
    return seed;
  }
  template <std::size_t N>
  std::string of(const std::array<std::string_view, N>& list) {
    return std::string(list[next(N)]);
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace causeway::pii
