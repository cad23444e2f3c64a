// Admin routes without a running program: what needs nothing but the data folder (keys).
#pragma once

#include <memory>
#include <string>

#include "core/admin.h"

namespace causeway::app {

/// Opens the data folder. `not_running` is what routes answer that need the running program.
/// Errors: the folder cannot be opened.
Result<std::unique_ptr<AdminClient>> make_offline_client(const std::string& data,
                                                         Error not_running);

}  // namespace causeway::app
