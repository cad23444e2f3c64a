// The words of this dialect that more than one of its parts reads or writes. Includes simdjson:
// only for .cpp files.
#pragma once

#include <string_view>

#include "core/event.h"
#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"

namespace causeway::anthropic {

/// A block's index, or a number of calls, beyond which an answer is not one.
constexpr std::uint64_t kMostBlocks = 4096;

Stop stop_of(std::string_view reason);
/// The reason as Anthropic would write it; `raw`, the provider's own word, where there is none.
std::string_view reason_of(Stop stop, std::string_view raw);

/// Takes what a usage object tells into `usage`; what it does not tell stays. Anthropic's numbers
/// are cumulative, and its input excludes what was read from and written to the cache. Answers
/// whether the object tells its cost itself.
bool read_usage(simdjson::ondemand::value value, Usage& usage);
void write_usage(text::JsonWriter& json, const Usage& usage);

/// Arguments of a tool call as the object that this dialect wants. What a model wrote that is none
/// goes as Anthropic's documents say: {"INVALID_JSON": "…"}.
std::string input_of(std::string_view arguments);

}  // namespace causeway::anthropic
