// Small questions about JSON texts that models have written.
#pragma once

#include <string_view>

namespace causeway {

/// Whether a text is one complete JSON object and nothing else.
bool is_json_object(std::string_view text);

/// Whether a text is one complete JSON value and nothing else.
bool is_json(std::string_view text);

}  // namespace causeway
