// Values that look like those they stand for and belong to nobody.
#pragma once

#include <string>
#include <string_view>

#include "features/privacy/pii/detector.h"

namespace causeway::pii {

/// Another value of the finding's kind, of the same shape: as many words, digits and letters in the
/// same places, check digits right where they were, addresses of networks and mail from the ranges
/// kept for documents (RFC 2606, 5737, 3849). The same for the same secret, value, rule and
/// attempt.
std::string pseudonym_of(const Finding& finding, std::string_view value, std::string_view secret,
                         int attempt);

/// 16 hex digits of HMAC-SHA256 over kind and value.
std::string hash_of(Kind kind, std::string_view value, std::string_view secret);

}  // namespace causeway::pii
