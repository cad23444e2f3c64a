// Admin routes without a running program: what needs nothing but the configuration (models) or the
// data folder (keys, store).
#pragma once

#include <memory>
#include <string>

#include "app/where.h"
#include "core/admin.h"

namespace causeway::app {

/// `not_running` is what routes answer that need the running program. The data folder is opened by
/// the first call that needs it, and made by none but the making of a key.
std::unique_ptr<AdminClient> make_offline_client(Where where, Error not_running);

}  // namespace causeway::app
