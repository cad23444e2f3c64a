// Azure OpenAI: the openai dialect below the path of a deployment (the dated form) or of a resource
// (v1), with a key or with a token of Entra ID.
#pragma once

#include <memory>
#include <string>

#include "core/access_token.h"
#include "core/provider.h"
#include "providers/azure/config.h"

namespace causeway::azure {

/// The dialects outlive the provider. Errors: InvalidRequest for an address or proxy that cannot be
/// used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const AzureConfig& config,
                                                const Dialect& dialect, const Dialect& responses,
                                                AccessTokens& tokens,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::azure
