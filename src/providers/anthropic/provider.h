// Anthropic's API, and servers that speak it.
#pragma once

#include <memory>
#include <string>

#include "core/model_listing.h"
#include "core/provider.h"
#include "providers/anthropic/config.h"

namespace causeway::anthropic {

/// `dialect` outlives the provider. Errors: InvalidRequest for a base URL or proxy that cannot be
/// used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const AnthropicConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::anthropic
