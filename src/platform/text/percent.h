// Percent escapes in paths and queries (RFC 3986, section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace causeway::text {

/// Each %XX as its byte, %00 too. What is not such an escape stays as it is, and '+' is a plus:
/// that it means a space belongs to forms alone.
std::string percent_decoded(std::string_view text);

/// Everything but the unreserved letters (RFC 3986, section 2.3) as %XX: a text as one segment of a
/// path.
std::string percent_encoded(std::string_view text);

}  // namespace causeway::text
