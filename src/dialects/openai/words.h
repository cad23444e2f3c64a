// The words of this dialect that more than one of its parts reads or writes.
#pragma once

#include <string>
#include <string_view>

#include "core/event.h"

namespace causeway::openai {

Stop stop_of(std::string_view reason);
/// The reason as OpenAI would write it; `raw`, the provider's own word, where there is none.
std::string_view reason_of(Stop stop, std::string_view raw);
/// The same JSON without line breaks, which would end the line of an event that it stands in.
std::string in_one_line(std::string_view json);

}  // namespace causeway::openai
