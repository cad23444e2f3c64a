// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// 2012): without the key nobody can find two inputs with one hash, or tell the hash of an input. A
// tenth of an HMAC's cost for short texts. For tables inside one process whose key is drawn when it
// starts; what leaves the process or is stored is hashed with SHA-256.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace causeway::crypto {

using SipTag = std::array<std::uint64_t, 2>;

class SipHash {
 public:
  SipHash();  // a key from the system's generator
  explicit SipHash(const std::array<std::uint64_t, 2>& key) : key_(key) {}
  SipTag operator()(std::string_view bytes) const;

 private:
  std::array<std::uint64_t, 2> key_;
};

}  // namespace causeway::crypto
