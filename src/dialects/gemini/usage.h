// What a usageMetadata says, for both readers of this dialect's answers. Includes simdjson: only
// for .cpp files.
#pragma once

#include "core/usage.h"
#include "platform/json/on_demand.h"

namespace causeway::gemini {

namespace od = json::od;

/// promptTokenCount has the cached ones in it, candidatesTokenCount has not those of thoughts.
Usage read_usage(od::value metadata);

}  // namespace causeway::gemini
