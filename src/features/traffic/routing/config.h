// What the configuration says about routing.
#pragma once

#include <string>
#include <vector>

#include "core/section_table.h"
#include "features/traffic/routing/breaker.h"

namespace causeway::routing {

/// Providers whose paths may be asked for under /providers/NAME/; `*` stands for any text.
using PassThrough = std::vector<std::string>;
inline constexpr config::Section<PassThrough> kPassThrough{"pass_through"};

void describe(config::Fields& f, BreakerSettings& c);

}  // namespace causeway::routing
