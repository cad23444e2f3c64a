#include "platform/store/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace causeway::store {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> failed(std::string what, const std::filesystem::path& path) {
  return std::unexpected(file_error(std::move(what), path, errno));
}

Result<void> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return failed("cannot write to the disk", path);
  return {};
}

}  // namespace

Error file_error(std::string what, const std::filesystem::path& path, int error_number) {
  Error error;
  error.kind = ErrorKind::Unavailable;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      error.code = "store_full";
      break;
    case EROFS:
    case EACCES:
    case EPERM:
      error.code = "store_read_only";
      break;
    default:
      error.code = "store_failed";
  }
  error.message = std::move(what) + " " + path.string() + ": " + std::strerror(error_number);
  return error;
}

Result<void> make_private_folder(const std::filesystem::path& path) {
  std::error_code code;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), code);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot make", path);
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return failed("cannot read", path);
  if (!S_ISDIR(status.st_mode)) {
    errno = ENOTDIR;
    return failed("cannot use", path);
  }
  if ((status.st_mode & 077) != 0 && ::chmod(path.c_str(), 0700) != 0) {
    return failed("cannot make private", path);
  }
  return {};
}

Result<DataFolder> DataFolder::open(std::filesystem::path path) {
  if (auto made = make_private_folder(path); !made) return pass(std::move(made));
  const auto lock_path = path / "lock";
  const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed("cannot open", lock_path);
  DataFolder folder(std::move(path), fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("cannot lock", lock_path);
    char holder[32] = {};
    const ssize_t read = ::pread(fd, holder, sizeof holder - 1, 0);
    std::string pid(holder, read > 0 ? static_cast<std::size_t>(read) : 0);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return fail(ErrorKind::Conflict, Origin::Us,
                "the data folder " + folder.path_.string() + " is in use by another process (pid " +
                    (pid.empty() ? "unknown" : pid) + "); stop it or use another folder",
                "data_folder_in_use");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return failed("cannot write", lock_path);
  }
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::string> read_private(const std::filesystem::path& path) {
  const File file(path, O_RDONLY);
  if (file.fd() < 0) {
    if (errno == ENOENT) {
      return fail(ErrorKind::NotFound, Origin::Us, "there is no " + path.string());
    }
    return failed("cannot open", path);
  }
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t read = ::read(file.fd(), buffer, sizeof buffer);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return failed("cannot read", path);
    if (read == 0) return content;
    content.append(buffer, static_cast<std::size_t>(read));
    if (content.size() > kMostBytes) {
      errno = EFBIG;
      return failed("cannot read", path);
    }
  }
}

Result<void> write_private(const std::filesystem::path& path, std::string_view content) {
  auto fresh = path;
  fresh += ".new";
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.fd() < 0) return failed("cannot write", fresh);
    if (auto written = write_all(file.fd(), content, fresh); !written) {
      ::unlink(fresh.c_str());
      return written;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("cannot write", path);
  const File folder(path.has_parent_path() ? path.parent_path() : ".", O_RDONLY | O_DIRECTORY);
  if (folder.fd() < 0 || ::fsync(folder.fd()) != 0) return failed("cannot write", path);
  return {};
}

}  // namespace causeway::store
