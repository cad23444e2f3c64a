// Bytes as text and back: hex, base64url, base32 and base62 for ids, keys and files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::crypto {

/// Lower case, two characters a byte.
std::string to_hex(std::string_view bytes);
/// Either case; nothing for an odd length or another character.
std::optional<std::string> from_hex(std::string_view text);

/// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);
/// Without padding; nothing for another alphabet, a wrong length or bits that are not zero.
std::optional<std::string> from_base64url(std::string_view text);

/// RFC 4648 section 6 in lower case, without padding: 8 characters for 5 bytes.
std::string to_base32(std::string_view bytes);

/// The bytes as one big-endian number in 0-9A-Za-z, padded on the left to the width that every
/// number of this many bytes fits (43 for 32 bytes). At most 64 bytes.
std::string to_base62(std::string_view bytes);

}  // namespace causeway::crypto
