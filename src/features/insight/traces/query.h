// What `GET /api/traces?…` asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/admin.h"
#include "features/insight/traces/search.h"
#include "platform/base/clock.h"

namespace causeway::traces {

/// How keys are called, which another feature knows. Called by workers.
struct KeyNames {
  std::function<std::string(std::string_view id)> name_of;        // empty: no such key
  std::function<std::string(std::string_view id_or_name)> id_of;  // likewise
};

/// `2026-11-26`, `2026-11-26T13:15:00Z`, or how long ago: `15m`. Unix time in microseconds.
std::optional<std::int64_t> read_time(std::string_view text, Wall now);

/// Errors: InvalidRequest "invalid_query" naming the parameter, Forbidden "read_only_key" where a
/// read-only key looks for words.
Result<Filter> read_filter(const AdminRequest& request, Wall now);

}  // namespace causeway::traces
