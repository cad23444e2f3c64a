// Patterns for names of models, keys and tenants: `*` stands for any run of characters, also none
// and also `/`; every other character stands for itself, and case matters. Time grows with the
// lengths of pattern and text only, whatever the pattern, so that a user's pattern cannot be used
// to burn time.
#pragma once

#include <string_view>

namespace causeway::text {

bool glob_match(std::string_view pattern, std::string_view text);

/// True when the pattern has a `*`, and so may match more than one name.
inline bool is_glob(std::string_view pattern) {
  return pattern.find('*') != std::string_view::npos;
}

}  // namespace causeway::text
