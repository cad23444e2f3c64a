#include "app/where.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/vocabulary.h"

namespace causeway::app {
namespace {

constexpr const char* kUsualFile = "causeway.yaml";
constexpr const char* kUsualData = "./causeway-data";

// "--data DIR" or "--data=DIR" out of the arguments; what stands behind "--" is left alone.
std::string take_option(std::vector<std::string>& args, const std::string& name, bool& given) {
  std::string value;
  for (auto at = args.begin(); at != args.end() && *at != "--";) {
    if (*at == name && at + 1 != args.end()) {
      value = at[1];
      at = args.erase(at, at + 2);
    } else if (at->starts_with(name + "=")) {
      value = at->substr(name.size() + 1);
      at = args.erase(at);
    } else {
      ++at;
      continue;
    }
    given = true;
  }
  return value;
}

}  // namespace

Where take_where(std::vector<std::string>& args, const Environment& environment) {
  Where where;
  bool ignored = false;
  where.config_path = config_in_use(take_option(args, "--config", ignored));
  where.data = data_in_use(take_option(args, "--data", where.data_given), environment);
  return where;
}

std::string config_in_use(const std::string& given) {
  std::error_code ignored;
  if (!given.empty() || !std::filesystem::exists(kUsualFile, ignored)) return given;
  return kUsualFile;
}

std::string data_in_use(const std::string& given, const Environment& environment) {
  const char* from_environment = environment("CAUSEWAY_DATA");
  return given.empty() && from_environment ? from_environment : given;
}

// Of a file that is no YAML nobody knows what else it would have said.
Result<void> check_syntax(const config::Problems& problems) {
  for (const auto& problem : problems.sorted()) {
    if (!problem.message.starts_with("YAML: ")) continue;
    return fail(
        ErrorKind::InvalidRequest, Origin::Us,
        "the configuration cannot be read: " + problems.line(problem) +
            "; a gateway that runs keeps the one that it has: --data DIR names its data folder",
        "bad_config");
  }
  return {};
}

Result<AppConfig> read_where(const Where& where, const Vocabulary& vocabulary,
                             const Environment& environment) {
  if (where.config_path.empty()) return default_config(environment);
  if (auto readable = check_readable(where.config_path); !readable)
    return pass(std::move(readable));
  config::Problems problems(where.config_path);
  auto config = vocabulary.schema->read_file(where.config_path, problems);
  if (auto whole = check_syntax(problems); !whole) return pass(std::move(whole));
  return config;
}

Result<std::string> data_folder(const Where& where) {
  if (!where.data.empty()) return where.data;
  if (where.config_path.empty()) return kUsualData;
  if (auto readable = check_readable(where.config_path); !readable)
    return pass(std::move(readable));
  const Vocabulary vocabulary;
  config::Problems problems(where.config_path);
  std::string data = vocabulary.schema->read_file(where.config_path, problems).server.data;
  if (auto whole = check_syntax(problems); !whole) return pass(std::move(whole));
  return data;
}

Result<void> check_readable(const std::string& config_path) {
  // Not opened: that would wait for the writer of a pipe.
  if (access(config_path.c_str(), R_OK) == 0) return {};
  return fail(ErrorKind::InvalidRequest, Origin::Us,
              "the configuration " + config_path + " cannot be read: " + std::strerror(errno) +
                  "; --config FILE names it, and without --config ./causeway.yaml is read where it "
                  "is there",
              "no_config");
}

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto first = line.find_first_not_of(" \t\r");
    if (first != line.npos && line[first] != '#') return false;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return true;
}

Result<void> check_not_blank(const std::string& config_path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(config_path, ignored)) return {};  // told by the reader
  std::ifstream file(config_path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!is_blank(text)) return {};
  return fail(
      ErrorKind::InvalidRequest, Origin::Us,
      config_path + ": the file is empty; a gateway that runs keeps the configuration that it has",
      "bad_config");
}

std::string shown_path(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).lexically_normal().string();
}

}  // namespace causeway::app
