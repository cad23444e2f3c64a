#include "app/service.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "platform/process/exec_child.h"

namespace causeway::app {
namespace {

// As deploy/deb has them.
constexpr const char* kInstalled = "/usr/bin/causeway";
constexpr const char* kServiceConfig = "/etc/causeway/causeway.yaml";
constexpr const char* kServiceData = "/var/lib/causeway";

bool exists(const char* path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool says_which(std::string_view word) {
  return word == "--data" || word == "--config" || word.starts_with("--data=") ||
         word.starts_with("--config=");
}

bool is_about_the_service(std::span<char*> words) {
  static constexpr std::array<std::string_view, 6> kOthers = {
      "serve", "check", "import", "help", "version", process::kExecChildVerb};
  if (words.size() < 2 || *words[1] == '-') return false;
  if (std::ranges::find(kOthers, words[1]) != kOthers.end()) return false;
  if (std::ranges::any_of(words, says_which) || std::getenv("CAUSEWAY_DATA")) return false;
  if (exists("causeway.yaml") || exists("causeway-data")) return false;
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored) == kInstalled;
}

void become_owner_of(const char* folder) {
  struct stat status{};
  if (geteuid() != 0 || stat(folder, &status) != 0 || status.st_uid == 0) return;
  const passwd* owner = getpwuid(status.st_uid);
  const bool groups = owner && initgroups(owner->pw_name, status.st_gid) == 0;
  if (!groups || setgid(status.st_gid) != 0 || setuid(status.st_uid) != 0) {
    throw std::runtime_error(std::string("cannot go on as the owner of ") + folder);
  }
}

}  // namespace

std::vector<char*> mean_the_service(std::span<char*> arguments) {
  std::vector<char*> words(arguments.begin(), arguments.end());
  words.push_back(nullptr);
  if (!is_about_the_service(arguments)) return words;
  if (!exists(kServiceConfig) || !exists(kServiceData)) return words;
  static std::string config = std::string("--config=") + kServiceConfig;
  words.insert(words.begin() + 2, config.data());  // before a "--", which ends the options
  become_owner_of(kServiceData);
  return words;
}

}  // namespace causeway::app
