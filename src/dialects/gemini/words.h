// The words of this dialect that more than one of its parts reads or writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/chat.h"
#include "core/event.h"

namespace causeway::gemini {

Stop stop_of(std::string_view finish_reason);
/// The reason as Gemini would write it; `raw`, the provider's own word, where there is none.
std::string_view reason_of(Stop stop, std::string_view raw);

/// A member's name: Google takes snake_case for lowerCamelCase as well. A view of `key` where it is
/// right as it is, else of `storage`.
std::string_view camel(std::string_view key, std::string& storage);

/// A seal as a thoughtSignature, which must be base64: one of another dialect is wrapped.
std::string signature_of(const Seal& seal);
Seal seal_of(std::string_view signature);

/// The id of a call that Gemini gave none: what belongs together is found by it, and it is not told
/// to Gemini again.
std::string made_id(std::string_view answer, std::size_t number);
bool is_made(std::string_view id);

/// A schema of Gemini's own form (OpenAPI 3.0: upper-case types, nullable) as a JSON Schema. Texts
/// that are no JSON come back as they are.
RawJson json_schema(std::string_view schema);

/// A JSON text without white space between its tokens: one line, as an event needs it.
std::string compact(std::string_view json);

}  // namespace causeway::gemini
