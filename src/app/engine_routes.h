// The admin routes of the engine.
#pragma once

#include <vector>

#include "core/admin.h"

namespace causeway {
class Engine;
}

namespace causeway::app {

/// `engine` outlives the routes.
std::vector<AdminRoute> engine_routes(Engine& engine);

}  // namespace causeway::app
