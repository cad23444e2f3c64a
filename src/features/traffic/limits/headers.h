// How an answer's head tells what is left: in the form of the application's dialect, and in that of
// the IETF (draft-ietf-httpapi-ratelimit-headers-10).
#pragma once

#include <span>
#include <string>

#include "core/exchange.h"
#include "features/traffic/limits/table.h"

namespace causeway::limits {

struct Told {
  const Limit* limit = nullptr;
  Standing standing;
};

/// Of requests and of tokens, the limit that is nearest to its end. Nothing of money: what others
/// have left of a tenant's budget is not for every caller.
void tell_limits(Exchange& exchange, std::span<const Told> told);

/// "1s", "6m0s", "20ms": as OpenAI writes the time until a reset.
std::string reset_text(std::chrono::nanoseconds time);

}  // namespace causeway::limits
