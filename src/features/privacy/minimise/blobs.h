// Files in text form inside of texts: data URLs and long runs of base64 become a note of their
// size.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::minimise {

/// "[base64, 12 kB]" in the place of each; nothing where there is none. Runs that are part of a
/// link stay.
std::optional<std::string> without_base64(std::string_view text);

}  // namespace causeway::minimise
