// How the verbs reach the admin routes: over the running program's admin port, found through the
// data folder, or in this process when none runs there.
#pragma once

#include <memory>
#include <string>

#include "app/where.h"
#include "core/admin.h"

namespace causeway::app {

std::unique_ptr<AdminClient> make_admin_client(Where where);

/// Where the program listens that runs on the data folder.
struct Running {
  std::string listen, admin;
  std::string admin_key, application_key;  // made for the verbs of this machine
};
/// Asks its admin port whether it is there. Unavailable (code "not_running") when none is; the
/// message says how to start one.
Result<Running> find_running(const Where& where);

}  // namespace causeway::app
