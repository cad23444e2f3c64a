// The gateway that the package runs as a service of this machine, for whoever types a verb there.
#pragma once

namespace causeway::app {

/// Where nothing on the command line, in the environment or in the working folder says which
/// gateway is meant, the installed program's verbs mean the service of the machine: CAUSEWAY_DATA
/// is set to its data folder, and root goes on as the folder's owner, so that the service can read
/// what a verb writes. `causeway serve` and `check` stay as they are.
void mean_the_service(int argc, char** argv);

}  // namespace causeway::app
