// Hugging Face: the router in front of many companies' models, and dedicated endpoints (TGI, vLLM),
// both in the openai dialect.
#pragma once

#include <memory>
#include <string>

#include "core/model_listing.h"
#include "core/provider.h"
#include "providers/huggingface/config.h"

namespace causeway::huggingface {

/// `dialect` outlives the provider. Errors: InvalidRequest for a base URL or proxy that cannot be
/// used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const HuggingFaceConfig& config,
                                                const Dialect& dialect,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::huggingface
