// What the decoders of this dialect's requests share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/chat.h"
#include "core/request_body.h"

namespace causeway::openai {

/// Fields without which the answer is right as well.
bool is_hint(std::string_view field);

/// "data:image/png;base64,…" → type and bytes; any other address stays one.
void set_address(std::string_view url, Media& media);

std::optional<std::uint32_t> count_of(od::value value);

}  // namespace causeway::openai
