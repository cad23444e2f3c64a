#include "app/cli.h"

#include <signal.h>

#include <cstdio>
#include <exception>

#include "app/admin_client.h"
#include "app/client_verbs.h"
#include "app/feature_verbs.h"
#include "platform/config/problems.h"
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
      "  %-9s %s\n  %-9s %s\n  %-9s %s\n",
      kVersion, "serve", "Serve applications; without --config what the machine offers.", "check",
      "Check a configuration file; print its schema or reference.", "chat",
      "Talk to a model: a question, or a conversation.");
  for (const auto& verb : all) std::printf("  %-9s %s\n", verb.name.c_str(), verb.summary.c_str());
}

int unknown(const std::string& name, const std::vector<Verb>& all) {
  std::vector<std::string> names{"serve", "check", "chat"};
  for (const auto& verb : all) names.push_back(verb.name);
  std::fprintf(stderr, "causeway: there is no verb \"%s\"", name.c_str());
  for (const auto& near : config::nearest(name, names)) {
    std::fprintf(stderr, "; did you mean \"%s\"?", near.c_str());
  }
  std::fprintf(stderr, "\nSee causeway --help.\n");
  return 2;
}

int run_verb(const std::string& name, std::vector<std::string> args) {
  if (name == "serve") return serve_verb(args);
  if (name == "check") return check_verb(args);
  const auto all = verbs();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help(all);
    return 0;
  }
  if (name == "--version" || name == "version") {
    std::printf("causeway %s\n", kVersion);
    return 0;
  }
  const std::size_t given = args.size();
  const std::string data = take_data_option(args);
  if (name == "chat") return chat_verb(args, data, args.size() != given);
  for (const auto& verb : all) {
    if (verb.name != name) continue;
    auto client = make_admin_client(data);
    return verb.run(args, *client);
  }
  return unknown(name, all);
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
    std::fprintf(stderr, "causeway: %s\n", fault.what());
    return 1;
  }
}

}  // namespace causeway::app
