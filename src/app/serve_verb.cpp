#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/cli.h"
#include "app/client_verbs.h"
#include "app/program.h"
#include "app/where.h"
#include "core/verb_output.h"

namespace causeway::app {
namespace {

// Every thread inherits this: the signals are the signal thread's alone.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

int serve_verb(std::span<const std::string> args) {
  CLI::App app(
      "Serve applications, as --config or else ./causeway.yaml says. Without a file: the embedded "
      "model, providers whose variables (OPENAI_API_KEY, …) are set, and model servers found on "
      "this machine.",
      "causeway serve");
  ServeOptions options;
  bool no_watch = false;
  app.add_option("--config", options.config_path,
                 "The configuration file (YAML); else ./causeway.yaml where there is one");
  app.add_option("--listen", options.listen, "Where applications connect, IP:port");
  app.add_option("--admin", options.admin, "Where operators connect, IP:port");
  app.add_option(
      "--data", options.data,
      "Folder of everything that is kept; else CAUSEWAY_DATA, server.data, ./causeway-data");
  app.add_option("--ready-file", options.ready_file,
                 "Written with the real addresses as soon as requests are taken");
  app.add_flag("--no-watch", no_watch, "Do not load the file again when it changes");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto environment = [](const char* name) { return std::getenv(name); };
  options.watch = !no_watch;
  options.config_path = config_in_use(options.config_path);
  options.data = data_in_use(options.data, environment);
  block_signals();
  Program program(std::move(options), environment);
  if (auto started = program.start(); !started) {
    const Error& error = started.error();
    if (error.code == "bad_config") {
      std::fputs(error.message.c_str(), stderr);  // lines with places of their own
    } else {
      tell(error);
    }
    program.tell_made_keys();
    return 1;
  }
  return program.run();
}

int check_verb(std::span<const std::string> args) {
  CLI::App app("Check a configuration file: every problem at once, with its place.",
               "causeway check");
  std::string path = "causeway.yaml";
  bool schema = false, reference = false;
  app.add_option("--config,file", path, "The file; else ./causeway.yaml");
  app.add_flag("--schema", schema, "Print the JSON Schema for editors instead");
  app.add_flag("--reference", reference, "Print the reference page (Markdown) instead");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const Vocabulary vocabulary;
  if (schema || reference) {
    const std::string text = schema ? vocabulary.schema->json_schema("causeway.yaml")
                                    : vocabulary.schema->reference("Configuration");
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  if (auto readable = check_readable(path); !readable) return tell(readable.error());
  config::Problems problems(path);
  check_config(vocabulary, path, [](const char* name) { return std::getenv(name); }, problems);
  std::fputs(problems.text().c_str(), problems.ok() ? stdout : stderr);
  if (!problems.ok()) return 1;
  std::printf("%s is right.\n", path.c_str());
  return 0;
}

}  // namespace causeway::app
