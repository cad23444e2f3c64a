// What the configuration says about routing.
#pragma once

#include <string>
#include <vector>

#include "core/section_table.h"
#include "core/target.h"
#include "features/traffic/routing/breaker.h"
#include "features/traffic/routing/quota.h"

namespace causeway::routing {

/// Providers whose paths may be asked for under /providers/NAME/; `*` stands for any text.
using PassThrough = std::vector<std::string>;
inline constexpr config::Section<PassThrough> kPassThrough{"pass_through"};

inline config::Names<Priority> names_of(Priority) {
  return {{"high", Priority::High}, {"normal", Priority::Normal}, {"low", Priority::Low}};
}
inline constexpr config::Section<Priority> kPriority{"priority"};

void describe(config::Fields& f, BreakerSettings& c);

}  // namespace causeway::routing

namespace causeway {
void describe(config::Fields& f, Escalation& c);
}  // namespace causeway
