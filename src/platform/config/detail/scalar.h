// One scalar, read as the type that is wanted there, and what is said when it is not one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/config.h"
#include "platform/config/detail/type.h"
#include "platform/config/yaml_tree.h"

namespace causeway::config::detail {

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

/// "a whole number", "a duration such as 30s, 250ms or 1h30m", …
std::string expected_text(const Type& type);
/// "from 1 to 64", "at least 1"; empty when there is no limit.
std::string limits_text(const Type& type);

}  // namespace causeway::config::detail
