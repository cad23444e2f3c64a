// One scalar: its `${NAME}` references replaced, and read as the type that is wanted there.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "platform/config/config.h"
#include "platform/config/detail/tree.h"
#include "platform/config/detail/type.h"

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

/// A text as it may be shown: control characters escaped, and not more than a line of it.
std::string printable(std::string_view text);

/// What stands there, to be shown in a message: `"abc"`, `30`, `a list`. Never a value that came
/// from the environment, and never the text where a secret or a mapping is expected.
std::string shown(const Node& node, bool with_text = true);

/// Reads into the object. The error is a whole message without the path.
struct ScalarProblem {
  std::string message;
  std::vector<std::string> suggestions;
};
std::optional<ScalarProblem> read_scalar(const Type& type, void* object, const Node& node,
                                         const Sources& sources);

/// The text of a secret from the environment or a file; `plain` when it stands in the file itself.
std::expected<std::string, std::string> read_secret(std::string_view text, const Sources& sources,
                                                    bool& plain);
std::expected<std::string, std::string> read_whole_file(const std::string& path, std::size_t limit);

/// "a whole number", "a duration such as 30s, 250ms or 1h30m", …
std::string expected_text(const Type& type);
/// "from 1 to 64", "at least 1"; empty when there is no limit.
std::string limits_text(const Type& type);

}  // namespace causeway::config::detail
