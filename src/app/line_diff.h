// The differences of two texts, line by line, in the unified form that people know from `diff -u`.
#pragma once

#include <string>
#include <string_view>

namespace causeway::app {

/// Empty where they are the same. Texts that have thousands of different lines are told as one
/// replaced whole.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view name);

}  // namespace causeway::app
