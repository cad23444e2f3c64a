// The bytes of the file before YAML sees them. `${NAME}` must be usable without quotes inside
// `{ … }`, where YAML would take its braces for its own; so each reference is written in control
// characters, which the file itself may not contain, one for one (columns stay right), and read
// back out of the values afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/config/problems.h"

namespace causeway::config::detail {

struct Unreadable {
  Position at;
  std::string why;
};

/// Not UTF-8, a control character, too large: nothing that a YAML parser should see.
std::optional<Unreadable> refuse_bytes(std::string_view text, std::size_t max_bytes);

/// The text with its references hidden, and a value with them shown again.
std::string hide_references(std::string_view text);
std::string show_references(std::string_view text);

}  // namespace causeway::config::detail
