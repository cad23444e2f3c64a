// What links tell about their reader: parameters that only count visits go away, and a link to a
// service that counts and then sends on becomes the link behind it. Nothing is fetched.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::minimise {

/// The text with its links freed of tracking; nothing where there was none.
std::optional<std::string> without_tracking(std::string_view text);

}  // namespace causeway::minimise
