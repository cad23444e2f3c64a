// The console on the admin port: its page at `/`, its assets, its icons. They need no key; what
// they show comes from /api, which does.
#pragma once

#include <span>
#include <vector>

#include "app/console_files.h"
#include "core/admin.h"

namespace causeway::app {

/// A route for each file beside the page, and one for all of `assets/`.
std::vector<AdminRoute> console_routes(std::span<const ConsoleFile> files);

}  // namespace causeway::app
