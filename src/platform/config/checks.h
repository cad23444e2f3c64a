// Checks that many sections need, for Field::check() and Field::names(). Each returns what is
// wrong, as the end of a sentence, or nothing.
#pragma once

#include <string>

namespace causeway::config {

/// A name that others refer to: 1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or
/// digit.
std::string check_name(const std::string& text);
/// Where to listen or connect: `127.0.0.1:8080`, `localhost:0`, `[::1]:8080`.
std::string check_address(const std::string& text);
/// `http://` or `https://`, a host, no spaces, no `user:password@`.
std::string check_url(const std::string& text);

}  // namespace causeway::config
