// JSON in which an object has two members of one name: two readers may see two values, so the admin
// port takes none of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::app {

/// The name of the first member that is there twice, compared unescaped, at any depth. Nothing
/// where there is none, and where the text is not JSON: that its reader tells.
std::optional<std::string> repeated_member(std::string_view text);

}  // namespace causeway::app
