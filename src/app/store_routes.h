// /api/store: the keys under which people's words lie on the disk.
#pragma once

#include <functional>
#include <vector>

#include "core/admin.h"
#include "platform/base/worker.h"
#include "platform/store/sealed.h"

namespace causeway::app {

/// `post` puts a callback on the loop that serves the routes.
std::vector<AdminRoute> store_routes(store::Sealed& sealed, WorkerGroup& workers,
                                     std::function<void(std::move_only_function<void()>)> post);

}  // namespace causeway::app
