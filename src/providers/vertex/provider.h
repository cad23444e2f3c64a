// Google's Vertex AI: models of two publishers below one project. Google's are asked in Gemini's
// dialect, Anthropic's in theirs; the model stands in the path. Tokens come from a service
// account's key file or from the metadata server.
#pragma once

#include <memory>
#include <string>

#include "core/access_token.h"
#include "core/provider.h"
#include "providers/vertex/config.h"

namespace causeway::vertex {

/// What this provider speaks; they outlive it.
struct VertexDialects {
  const Dialect& gemini;
  const Dialect& anthropic;
};

/// Errors: InvalidRequest for what is missing, a key file or an address that cannot be used.
Result<std::unique_ptr<Provider>> make_provider(std::string name, VertexConfig config,
                                                const VertexDialects& dialects,
                                                AccessTokens& tokens,
                                                const EnvironmentVariables& environment);

}  // namespace causeway::vertex
