// What a value takes from outside the file: `${NAME}` from the environment, `file:` from a file.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "platform/config/config.h"

namespace causeway::config::detail {

/// The length of a complete `${NAME}` or `${NAME:-default}` at the front of the text, else 0. It is
/// on one line, has at most 1,024 bytes, and its
/// default holds no `}`, `${`, quote or backslash.
std::size_t reference_length(std::string_view text);

struct Resolved {
  std::string text;
  bool outside = false;   // some of it comes from the environment
  bool replaced = false;  // there was a reference, so that the text must not be shown
};
/// The error is the end of a sentence.
std::expected<Resolved, std::string> resolve(std::string_view text, const Sources& sources);

/// The text of a secret from the environment or a file; `plain` when it stands in the file itself.
std::expected<std::string, std::string> read_secret(std::string_view text, const Sources& sources,
                                                    bool& plain);
std::expected<std::string, std::string> read_whole_file(const std::string& path, std::size_t limit);

}  // namespace causeway::config::detail
