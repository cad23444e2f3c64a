// The gateway that the package runs as a service of this machine, for whoever types a verb there.
#pragma once

#include <span>
#include <vector>

namespace causeway::app {

/// Where nothing on the command line, in the environment or in the working folder says which
/// gateway is meant, the installed program's verbs mean the service of the machine: the arguments
/// come back with its --config (and a null at the end, as argv has it), and root goes on as the
/// owner of its data, so that the service can read what a verb writes. `causeway serve` and `check`
/// stay as they are. Throws std::runtime_error when root cannot become the owner.
std::vector<char*> mean_the_service(std::span<char*> arguments);

}  // namespace causeway::app
