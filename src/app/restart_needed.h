// Which settings of a new configuration are in force only after a restart.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace causeway::app {

/// Names of those that are not as they are now.
std::vector<std::string> restart_needed(const AppConfig& now, const AppConfig& then);

}  // namespace causeway::app
