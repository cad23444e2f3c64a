// Models that Causeway runs by itself: an engine's slot is the address, llama-server's OpenAI form
// the dialect.
#pragma once

#include <memory>
#include <string>

#include "core/provider.h"
#include "providers/embedded/config.h"

namespace causeway {
class Engine;
}

namespace causeway::embedded {

/// `engine` and `dialect` outlive the provider; without an engine (a check of a configuration) no
/// call can be made.
Result<std::unique_ptr<Provider>> make_provider(std::string name, const EmbeddedConfig& config,
                                                const Dialect& dialect, Engine* engine);

}  // namespace causeway::embedded
