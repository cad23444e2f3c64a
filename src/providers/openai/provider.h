// Any server that speaks OpenAI's API: the cloud, vLLM, TGI, Ollama, LM Studio, llama-server.
#pragma once

#include <memory>
#include <string>

#include "core/model_listing.h"
#include "core/provider.h"
#include "core/vocabularies.h"
#include "providers/openai/config.h"

namespace causeway::openai {

/// `dialect` outlives the provider, and so do `vocabularies`; null (a check of a configuration): it
/// counts no tokens. Errors: InvalidRequest for a base URL or proxy that cannot be
/// used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const OpenAiConfig& config,
                                                const Dialect& dialect, const Dialect& responses,
                                                std::shared_ptr<ModelListing> listing,
                                                Vocabularies* vocabularies,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::openai
