#include "platform/process/private_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace causeway::process {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "causeway-";
constexpr std::string_view kLockName = "lock";
// Between making a folder and locking it there is a moment in which it looks abandoned.
constexpr std::chrono::seconds kYoung{10};

std::vector<std::string> bases(const std::string& data_folder) {
  std::vector<std::string> out;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) out.emplace_back(runtime);
  if (!data_folder.empty()) out.push_back(data_folder);
  if (const char* temporary = std::getenv("TMPDIR")) out.emplace_back(temporary);
  out.emplace_back("/tmp");
  return out;
}

/// A lock on the file inside, or -1 when another process holds it.
int lock_folder(const std::string& folder, int flags) {
  const std::string path = folder + "/" + std::string(kLockName);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  if (file >= 0) close(file);
  return -1;
}

bool is_ours(const std::string& folder) {
  struct stat info{};
  return lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid();
}

bool is_young(const std::string& folder) {
  struct stat info{};
  if (lstat(folder.c_str(), &info) != 0) return true;
  return std::chrono::system_clock::now() - std::chrono::system_clock::from_time_t(info.st_mtime) <
         kYoung;
}

void remove_abandoned(const std::string& base) {
  std::error_code error;
  for (fs::directory_iterator it(base, error), end; !error && it != end; it.increment(error)) {
    const std::string folder = it->path().string();
    if (!it->path().filename().string().starts_with(kPrefix) || !is_ours(folder)) continue;
    // Only a folder with our lock file in it is one of ours: others may begin with our name too.
    const bool has_lock = fs::exists(folder + "/" + std::string(kLockName), error);
    if (!has_lock || is_young(folder)) continue;
    const int lock = lock_folder(folder, 0);
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    close(lock);
  }
}

}  // namespace

Result<PrivateFolder> PrivateFolder::make(const std::string& data_folder, std::size_t room) {
  std::string tried;
  for (const auto& given : bases(data_folder)) {
    std::error_code error;
    const std::string base = fs::absolute(given, error).lexically_normal().string();
    std::string path = base + "/" + std::string(kPrefix) + "XXXXXX";
    if (error || path.size() + 1 + room > kMaxSocketPath) {
      tried += " " + given + " (path too long)";
      continue;
    }
    remove_abandoned(base);
    if (!mkdtemp(path.data())) {  // makes it with mode 0700
      tried += " " + given + " (" + std::strerror(errno) + ")";
      continue;
    }
    const int lock = lock_folder(path, O_CREAT | O_EXCL);
    if (lock >= 0) return PrivateFolder(std::move(path), lock);
    tried += " " + given + " (no lock)";
    fs::remove_all(path, error);
  }
  return fail(ErrorKind::Unavailable, Origin::Us, "no folder for private sockets; tried:" + tried);
}

PrivateFolder::PrivateFolder(PrivateFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}

PrivateFolder& PrivateFolder::operator=(PrivateFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

PrivateFolder::~PrivateFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

}  // namespace causeway::process
