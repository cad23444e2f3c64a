// The admin routes of the engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/admin.h"

namespace causeway {
class Engine;
}

namespace causeway::app {

/// `engine` outlives the routes. `problem`: why models that one expects are not there, or nothing.
std::vector<AdminRoute> engine_routes(Engine& engine, std::function<std::string()> problem);

}  // namespace causeway::app
