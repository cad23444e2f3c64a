// JSON Web Tokens that we sign (RFC 7519) with an RSA key: header, claims and signature in the
// compact form (RFC 7515, section 7.1), algorithm RS256 (RFC 7518, section 3.3). A few lines over
// OpenSSL: one claim set signed with one key needs no JOSE library; reading other people's tokens,
// with their choice of algorithms and keys, would.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::crypto {

/// A private RSA key, ready to sign. Copies share it; it is wiped when the last one is gone.
class RsaKey {
 public:
  /// PKCS #8 or PKCS #1 in PEM, not encrypted. Errors: InvalidRequest with what is wrong, and
  /// nothing of the key.
  static Result<RsaKey> from_pem(const Secret& pem);

  /// RSASSA-PKCS1-v1_5 with SHA-256. From any thread. Errors: Internal.
  Result<std::string> sign(std::string_view bytes) const;

 private:
  explicit RsaKey(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;  // an EVP_PKEY
};

/// `claims` is a JSON object; `key_id` goes into the header unless it is empty. Errors: as of
/// sign().
Result<std::string> sign_jwt(const RsaKey& key, std::string_view key_id, std::string_view claims);

}  // namespace causeway::crypto
