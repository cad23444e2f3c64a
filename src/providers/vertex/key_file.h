// The key file that Google gives for a service account: who we are there, and the key that proves
// it. Source: Google's page "Create and delete service account keys".
#pragma once

#include <string>

#include "core/access_token.h"
#include "platform/crypto/jwt.h"

namespace causeway::vertex {

struct KeyFile {
  std::string project;
  std::string client_email;
  std::string key_id;
  std::string token_uri;
  crypto::RsaKey key;
  std::string identity;  // a digest of the whole file: which key it is
};

/// Errors: InvalidRequest with the file's name and what is wrong with it, and nothing of its
/// content.
Result<KeyFile> read_key_file(const std::string& path);

/// The request that gets a token for these credentials (RFC 7523, section 2.1), signed at `now`.
/// `target` is the path of the token service.
Result<TokenRequest> jwt_grant(const KeyFile& file, const std::string& target, Wall now);

}  // namespace causeway::vertex
