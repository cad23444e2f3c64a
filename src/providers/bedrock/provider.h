// Amazon Bedrock: the converse dialect, a path with the model in it, signed requests or an API key.
#pragma once

#include <memory>
#include <string>

#include "core/provider.h"
#include "providers/bedrock/config.h"

namespace causeway::bedrock {

/// `dialect` outlives the provider. What `config` leaves open is taken from AWS's variables.
/// Errors: InvalidRequest where region or credentials are missing, or an address cannot be used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, BedrockConfig config,
                                                const Dialect& dialect,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::bedrock
