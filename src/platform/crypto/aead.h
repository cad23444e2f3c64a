// AES-256-GCM: text that nobody without the key can read or change. The additional data is not
// kept in the sealed bytes, but a record opened with other additional data is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::crypto {

constexpr std::size_t kAeadKeyBytes = 32;
constexpr std::size_t kAeadNonceBytes = 12;
constexpr std::size_t kAeadTagBytes = 16;
/// What sealing adds: the nonce in front, the tag behind.
constexpr std::size_t kAeadOverhead = kAeadNonceBytes + kAeadTagBytes;

/// nonce | ciphertext | tag under a fresh random nonce. With random 96-bit nonces one key is good
/// for 2^32 records (NIST SP 800-38D, 8.3). `key` has 32 bytes. From any thread.
std::string aead_seal(const Secret& key, std::string_view additional, std::string_view plain);

/// The plain text, or an error (kind Internal, code "unreadable") when key, additional data or
/// bytes are not those that were sealed; never a part of the text.
Result<std::string> aead_open(const Secret& key, std::string_view additional,
                              std::string_view sealed);

}  // namespace causeway::crypto
