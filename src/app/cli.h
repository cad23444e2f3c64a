// The command line: finds the verb and runs it. Exit codes: 0 done, 1 refused or failed, 2 wrong
// use.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace causeway::app {

int main_with_arguments(int argc, char** argv);

/// The verbs that need no running gateway.
int serve_verb(std::span<const std::string> args);
int check_verb(std::span<const std::string> args);
int import_verb(std::span<const std::string> args);

}  // namespace causeway::app
