// Verbs of app/ that talk to a running gateway.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/admin.h"

namespace CLI {
class App;
}

namespace causeway::app {

/// -1: parsed; otherwise the exit code (0 after --help, 2 for wrong use), all said.
int parse_arguments(CLI::App& app, std::span<const std::string> args);

int chat_verb(std::span<const std::string> args, const std::string& data, bool data_given);

/// models, engine, status.
std::vector<Verb> client_verbs();

}  // namespace causeway::app
