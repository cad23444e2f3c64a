// On whose behalf a request was sent, as far as that is known.
#pragma once

#include <memory>
#include <string_view>

#include "core/exchange.h"

namespace causeway {

/// The user to whom the caller's key belongs; where it belongs to none, the user that the
/// application names in its request; "" where nobody is named. Of a request that has been read. The
/// view lives as long as the exchange's request.
std::string_view user_of(Exchange& exchange);

/// The same one, who may ask for any model: where Causeway itself needs one to serve the caller.
std::shared_ptr<const Principal> with_any_model(const Principal& principal);

}  // namespace causeway
