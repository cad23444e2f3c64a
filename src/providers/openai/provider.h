// Any server that speaks OpenAI's API: the cloud, vLLM, TGI, Ollama, LM Studio, llama-server.
#pragma once

#include <memory>
#include <string>

#include "core/model_listing.h"
#include "core/provider.h"
#include "providers/openai/config.h"

namespace causeway::openai {

/// `dialect` outlives the provider. Errors: InvalidRequest for a base URL or proxy that cannot be
/// used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const OpenAiConfig& config,
                                                const Dialect& dialect, const Dialect& responses,
                                                std::shared_ptr<ModelListing> listing,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::openai
