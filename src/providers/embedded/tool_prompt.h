// A conversation with tools as one without: the tools in the system prompt, calls and results in
// the messages, and the schema of all answers that the model may give.
//
// An answer is one JSON object: {"tool_calls":[{"name":…,"arguments":…},…]}, or {"answer":"…"}, or,
// where the application asks for JSON, {"data":…}.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "core/chat.h"
#include "platform/base/error.h"

namespace causeway::embedded {

inline constexpr std::string_view kCalls = "tool_calls", kAnswer = "answer", kData = "data";
/// The schema of one call, inside the schema of the answer.
inline constexpr std::string_view kCallSchema = "#/$defs/call";
/// Likewise of the JSON that the application asked for.
inline constexpr std::string_view kDataSchema = "#/$defs/data";
/// The name of the schema: by it the answer's reader knows that it stands there. No schema of an
/// application keeps this name.
inline constexpr std::string_view kSchemaName = "causeway:tools";

/// `chat` without tools. Its format is the schema named above where tools may be called, and else
/// what it was. Errors: InvalidRequest for a schema that is no JSON, or a choice of an unknown
/// tool.
Result<Chat> tools_in_words(const Chat& chat);

}  // namespace causeway::embedded
