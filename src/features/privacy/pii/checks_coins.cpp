// Check sums of coin addresses, which are hashes over the decoded bytes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "features/privacy/pii/checks.h"
#include "platform/crypto/hash.h"

namespace causeway::pii::checks {
namespace {

constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kRipple = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The bytes of 25 (an address with its four of check sum), or false.
bool base58_decode(std::string_view text, std::string_view alphabet,
                   std::array<std::uint8_t, 25>& bytes) {
  bytes.fill(0);
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    auto carry = static_cast<unsigned>(value);
    for (std::size_t i = bytes.size(); i-- > 0;) {
      carry += bytes[i] * 58U;
      bytes[i] = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return false;
  }
  return true;
}

// BIP 173: the check sum is a BCH code over GF(32).
std::uint32_t bech32_step(std::uint32_t sum, std::uint8_t value) {
  constexpr std::array<std::uint32_t, 5> kGenerators{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                     0x2a1462b3};
  const std::uint32_t top = sum >> 25;
  sum = (sum & 0x1ffffff) << 5 ^ value;
  for (std::size_t i = 0; i < 5; ++i) {
    if ((top >> i & 1) != 0) sum ^= kGenerators[i];
  }
  return sum;
}

}  // namespace

bool base58check(std::string_view text) {
  if (text.size() < 25 || text.size() > 35) return false;
  std::array<std::uint8_t, 25> bytes{};
  if (!base58_decode(text, text[0] == 'r' ? kRipple : kBase58, bytes)) return false;
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto sum = crypto::sha256(crypto::view(crypto::sha256(view.substr(0, 21))));
  return crypto::view(sum).substr(0, 4) == view.substr(21);
}

bool bech32(std::string_view text) {
  const auto mark = text.rfind('1');
  if (mark == std::string_view::npos || mark == 0 || text.size() - mark < 7) return false;
  std::uint32_t sum = 1;
  const auto lower = [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); };
  for (std::size_t i = 0; i < mark; ++i) {
    sum = bech32_step(sum, static_cast<std::uint8_t>(lower(text[i]) >> 5));
  }
  sum = bech32_step(sum, 0);
  for (std::size_t i = 0; i < mark; ++i) sum = bech32_step(sum, lower(text[i]) & 31);
  for (std::size_t i = mark + 1; i < text.size(); ++i) {
    const auto value = kBech32.find(lower(text[i]));
    if (value == std::string_view::npos) return false;
    sum = bech32_step(sum, static_cast<std::uint8_t>(value));
  }
  return sum == 1 || sum == 0x2bc830a3;  // BIP 173, BIP 350
}

}  // namespace causeway::pii::checks
