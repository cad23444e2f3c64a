// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. For text that
// comes from outside and goes into JSON, logs and limits measured in bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace causeway::text {

/// Bytes (1 to 4) of the valid character at the beginning of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text);

bool utf8_valid(std::string_view text);
/// Bytes in front of the first that is not UTF-8; text.size() where all is.
std::size_t utf8_valid_prefix(std::string_view text);

/// The longest beginning of at most `max_bytes` that does not cut a character. Bytes that are not
/// UTF-8 count as characters of their own.
std::string_view utf8_cut(std::string_view text, std::size_t max_bytes);

/// Bytes at the end (0 to 3) that are the beginning of a character whose rest is still to come:
/// hold them back when text arrives in pieces.
std::size_t utf8_incomplete_tail(std::string_view text);

/// Characters; each byte that is not UTF-8 counts as one.
std::size_t utf8_count(std::string_view text);

}  // namespace causeway::text
