#include "app/cli.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "app/admin_client.h"
#include "app/client_verbs.h"
#include "app/feature_verbs.h"
#include "core/verb_output.h"
#include "platform/process/exec_child.h"

namespace causeway::app {
namespace {

constexpr const char* kVersion = CAUSEWAY_VERSION;

std::vector<Verb> verbs() {
  std::vector<Verb> all = client_verbs();
  for (auto& verb : feature_verbs()) all.push_back(std::move(verb));
  return all;
}

void print_help(const std::vector<Verb>& all) {
  std::printf(
      "causeway %s: one program between applications and language models\n\n"
      "usage: causeway VERB [OPTIONS]     causeway VERB --help tells more\n\n"
      "  %-9s %s\n  %-9s %s\n  %-9s %s\n  %-9s %s\n",
      kVersion, "serve",
      "Serve applications: as ./causeway.yaml says, else what the machine offers.", "check",
      "Check a configuration file; print its schema or reference.", "import",
      "Make a causeway.yaml of the configuration of LiteLLM, Portkey or TensorZero.", "chat",
      "Talk to a model: a question, or a conversation.");
  for (const auto& verb : all) std::printf("  %-9s %s\n", verb.name.c_str(), verb.summary.c_str());
}

int unknown(const std::string& name, const std::vector<Verb>& all) {
  std::vector<std::string> names{"serve", "check", "import", "chat"};
  for (const auto& verb : all) names.push_back(verb.name);
  std::string listed;
  for (const auto& known : names) listed += (listed.empty() ? "" : ", ") + known;
  tell("there is no verb \"" + name + '"' + did_you_mean(name, names),
       "There are: " + listed + ". `causeway --help` tells what they do.");
  return 2;
}

int run_verb(const std::string& name, std::vector<std::string> args) {
  if (name == "serve") return serve_verb(args);
  if (name == "check") return check_verb(args);
  if (name == "import") return import_verb(args);
  const auto all = verbs();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(all);
    return 0;
  }
  if (name == "--version" || name == "version") {
    std::printf("causeway %s\n", kVersion);
    return 0;
  }
  const Where where = take_where(args, [](const char* variable) { return std::getenv(variable); });
  const auto found = std::ranges::find(all, name, &Verb::name);
  if (name != "chat" && found == all.end()) return unknown(name, all);
  const auto client = make_admin_client(where);
  const int code = name == "chat" ? chat_verb(args, where) : found->run(args, *client);
  const bool helped = std::ranges::any_of(
      args, [](const std::string& word) { return word == "--help" || word == "-h"; });
  if (code == 0 && helped) std::fputs(kWhereHelp, stdout);
  return code;
}

}  // namespace

int main_with_arguments(int argc, char** argv) {
  // A peer that closed is an error of the call, never the end of the process.
  signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && std::string_view(argv[1]) == "exec-child") {
    return process::exec_child_main(argc, argv);
  }
  if (argc < 2) {
    print_help(verbs());
    return 2;
  }
  try {
    return run_verb(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  } catch (const std::exception& fault) {
    return tell(fault.what());
  }
}

}  // namespace causeway::app
