// Google's Gemini API: the model stands in the path.
#pragma once

#include <memory>
#include <string>

#include "core/model_listing.h"
#include "core/provider.h"
#include "providers/gemini/config.h"

namespace causeway::gemini {

/// Errors: InvalidRequest for an address that cannot be used. `dialect` outlives the provider.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const GeminiConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::gemini
