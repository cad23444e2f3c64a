// Model servers that run on this machine, found on their usual loopback ports.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace causeway::app {

/// Adds each one that answers as a provider; gives lines for people ("Ollama at http://…"). Takes a
/// refused connection per port where there is none, at most a quarter of a second where there is.
std::vector<std::string> add_found_servers(AppConfig& config);

}  // namespace causeway::app
