// `causeway import`: another gateway's configuration as a causeway.yaml.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/cli.h"
#include "app/client_verbs.h"
#include "app/importer/importer.h"
#include "app/importer/source.h"
#include "app/replace_file.h"
#include "core/verb_output.h"

namespace causeway::app {
namespace {

struct Options {
  importer::Request request;
  std::string out;
  bool force = false;
};

Result<std::string> read_source(const std::string& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    return fail(ErrorKind::InvalidRequest, Origin::Client, path + " is a folder, not a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                path + " cannot be read: " + std::strerror(errno));
  }
  std::string text(importer::kMaxSourceBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > importer::kMaxSourceBytes) {
    return fail(ErrorKind::InvalidRequest, Origin::Client, path + " has more than 10 MB");
  }
  return text;
}

// A file that is there stays, unless --force says otherwise; then it becomes FILE.bak.
Result<void> write_result(const Options& options, const std::string& text) {
  std::error_code failed;
  if (options.force && std::filesystem::exists(options.out, failed)) {
    return replace_file(options.out, text);
  }
  const int fd = ::open(options.out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_EXCL, 0644);
  if (fd < 0 && errno == EEXIST) {
    return fail(ErrorKind::Conflict, Origin::Client,
                options.out + " is there already; --force writes over it");
  }
  std::string_view left = text;
  while (fd >= 0 && !left.empty()) {
    const ssize_t wrote = ::write(fd, left.data(), left.size());
    if (wrote < 0 && errno != EINTR) break;
    if (wrote > 0) left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  const int why = errno;
  const bool closed = fd >= 0 && ::close(fd) == 0;
  if (closed && left.empty()) return {};
  return fail(ErrorKind::Unavailable, Origin::Us,
              options.out + " cannot be written: " + std::strerror(why));
}

void tell_remarks(const importer::Imported& imported, const std::string& file) {
  for (const auto& remark : imported.remarks) {
    const std::string line = remark.line == 0 ? "" : std::to_string(remark.line) + ":";
    std::fprintf(stderr, "%s:%s %s: %s\n", file.c_str(), line.c_str(),
                 importer::printable(remark.about).c_str(),
                 importer::printable(remark.text, 400).c_str());
  }
  std::fprintf(stderr, "%zu providers, %zu models; %zu remarks.\n", imported.providers.size(),
               imported.models.size(), imported.remarks.size());
}

int run_import(const Options& options) {
  const auto text = read_source(options.request.file);
  if (!text) return tell(text.error());
  const auto imported = importer::import_text(options.request, *text);
  if (!imported) {
    const std::string& message = imported.error().message;
    return tell(message.substr(0, message.find_last_not_of('\n') + 1));
  }
  const std::string file = std::filesystem::path(options.request.file).filename().string();
  const std::string yaml = importer::write_yaml(*imported, options.request.tool, file);
  if (options.out.empty()) {
    std::fputs(yaml.c_str(), stdout);
  } else if (auto written = write_result(options, yaml); !written) {
    return tell(written.error());
  }
  tell_remarks(*imported, options.request.file);
  return 0;
}

}  // namespace

int import_verb(std::span<const std::string> args) {
  CLI::App app(
      "Make a causeway.yaml of another gateway's configuration. What has no equivalent is listed "
      "on stderr with its line and what can be done, and stands as comments at the top of the "
      "result. Secrets in clear are not copied: a variable takes their place. The result goes to "
      "stdout, or with -o to a file, which must not be there yet, or be given up with --force. "
      "Exit codes: 0 made, "
      "1 not readable, or the result is there already, 2 wrong use.",
      "causeway import");
  app.require_subcommand(1);
  Options options;
  const auto add = [&](const char* name, const char* about) {
    auto* part = app.add_subcommand(name, about);
    part->add_option("file", options.request.file, "The file to read")->required();
    part->add_option("-o,--out", options.out, "Write this file, not to stdout");
    part->add_flag("--force", options.force, "Write over it if it is there; it becomes FILE.bak");
    return part;
  };
  const auto* litellm = add("litellm", "LiteLLM's proxy: config.yaml");
  auto* portkey = add("portkey", "Portkey's gateway: a config as JSON");
  portkey->add_option("--model", options.request.model_name,
                      "What applications will ask for; else the file's name without its end");
  portkey->add_option("--target-model", options.request.target_model,
                      "The model of targets that name none");
  (void)add("tensorzero", "TensorZero's gateway: tensorzero.toml");
  if (!args.empty() && !args[0].starts_with('-') &&
      std::ranges::find(importer::kTools, args[0]) == importer::kTools.end()) {
    tell("there is nothing to import from \"" + args[0] + '"' +
             did_you_mean(args[0], {importer::kTools.begin(), importer::kTools.end()}),
         "There are: litellm, portkey, tensorzero.");
    return 2;
  }
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  options.request.tool = *litellm ? "litellm" : *portkey ? "portkey" : "tensorzero";
  if (options.request.model_name.empty()) {
    options.request.model_name = std::filesystem::path(options.request.file).stem().string();
  }
  return run_import(options);
}

}  // namespace causeway::app
