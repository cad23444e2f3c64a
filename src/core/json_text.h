// Small questions about JSON texts that models have written.
#pragma once

#include <string>
#include <string_view>

namespace causeway {

/// Whether a text is one complete JSON object and nothing else.
bool is_json_object(std::string_view text);

/// Whether a text is one complete JSON value and nothing else.
bool is_json(std::string_view text);

/// The member's JSON as it stands in the text of an object; empty where there is none.
std::string json_member(std::string_view object, std::string_view key);

}  // namespace causeway
