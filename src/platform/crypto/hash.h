// SHA-256, HMAC-SHA256 and HKDF, on OpenSSL objects that are set up once and held: with them a
// key's HMAC costs well under a microsecond, where the one-shot calls of OpenSSL 3 cost several.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::crypto {

using Digest = std::array<std::uint8_t, 32>;

inline std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// From any thread (each keeps its own context).
Digest sha256(std::string_view bytes);

/// HMAC-SHA256 under one key. An object belongs to one thread at a time; a copy for another thread
/// is cheap and holds its own context.
class Hmac {
 public:
  explicit Hmac(std::string_view key);
  Hmac(const Hmac& other);
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;
  ~Hmac();

  Digest operator()(std::string_view bytes) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// RFC 5869 with SHA-256. `bytes` of output, at most 8160.
std::string hkdf(std::string_view secret, std::string_view salt, std::string_view info,
                 std::size_t bytes);

/// From the system's generator. Ends the process where that fails: nothing safe can follow.
std::string random_bytes(std::size_t bytes);

}  // namespace causeway::crypto
