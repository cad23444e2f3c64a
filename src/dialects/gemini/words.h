// The words of this dialect that more than one of its parts reads or writes.
#pragma once

#include <string_view>

#include "core/event.h"

namespace causeway::gemini {

Stop stop_of(std::string_view finish_reason);
/// The reason as Gemini would write it; `raw`, the provider's own word, where there is none.
std::string_view reason_of(Stop stop, std::string_view raw);

}  // namespace causeway::gemini
