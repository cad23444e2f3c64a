// How far back is asked: "15m", "1h", "6h", "24h", "7d".
#pragma once

#include <chrono>
#include <string>

#include "core/admin.h"

namespace causeway::metrics {

/// The query's `window`, `usual` where it has none. Error: InvalidRequest.
Result<std::chrono::seconds> window_of(const AdminRequest& request, const std::string& usual);

}  // namespace causeway::metrics
