// How many tokens a request's prompt has, before it is sent.
#pragma once

#include <cstdint>

#include "core/exchange.h"

namespace causeway {

/// Estimated, as for a target with this key (Target::key); 0 = as usual. With what the chat's
/// template puts around messages.
std::uint64_t prompt_tokens(const Exchange& exchange, std::uint64_t target);

}  // namespace causeway
