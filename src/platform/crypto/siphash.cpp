#include "platform/crypto/siphash.h"

#include <bit>
#include <cstring>

#include "platform/crypto/hash.h"

namespace causeway::crypto {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they stand");

struct State {
  std::uint64_t v0, v1, v2, v3;

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32) + v3;
      v2 += v1;
      v3 = std::rotl(v3, 21) ^ v0;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

std::array<std::uint64_t, 2> random_key() {
  const std::string bytes = random_bytes(16);
  std::array<std::uint64_t, 2> key;
  std::memcpy(key.data(), bytes.data(), sizeof key);
  return key;
}

}  // namespace

SipHash::SipHash() : key_(random_key()) {}

SipTag SipHash::operator()(std::string_view bytes) const {
  // The constants are the paper's: "somepseudorandomlygeneratedbytes"; 0xee makes it the 128-bit
  // variant.
  State state{key_[0] ^ 0x736f6d6570736575, key_[1] ^ 0x646f72616e646f6d ^ 0xee,
              key_[0] ^ 0x6c7967656e657261, key_[1] ^ 0x7465646279746573};
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    state.take(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  for (std::size_t i = at; i < bytes.size(); ++i) {
    last |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * (i - at));
  }
  state.take(last);
  SipTag tag;
  state.v2 ^= 0xee;
  state.rounds(4);
  tag[0] = state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  state.v1 ^= 0xdd;
  state.rounds(4);
  tag[1] = state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  return tag;
}

}  // namespace causeway::crypto
