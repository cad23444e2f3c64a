// A key pair for tests, made anew by each test program, so that no private key stands in the
// sources.
#pragma once

#include <string>
#include <string_view>

namespace causeway::crypto::testing {

/// The program's RSA key (2048 bits), PKCS #8 in PEM. Making it takes its time, once.
const std::string& rsa_pem();
/// Whether that key has made this signature (RS256).
bool verifies(std::string_view bytes, std::string_view signature);

/// Others: an RSA key of so many bits, a key of the curve P-256.
std::string other_rsa_pem(unsigned bits);
std::string ec_pem();

}  // namespace causeway::crypto::testing
