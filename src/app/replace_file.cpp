#include "app/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "platform/store/folder.h"

namespace causeway::app {
namespace {

namespace fs = std::filesystem;

// With the rights and, as far as that is allowed, the owner of the file in whose place it will be.
Result<void> write_beside(const fs::path& path, std::string_view content, const struct stat& like) {
  ::unlink(path.c_str());  // left behind by a crash
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(store::file_error("cannot write", path, errno));
  int failed = 0;
  while (!content.empty() && failed == 0) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote >= 0) {
      content.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (::fchown(fd, like.st_uid, like.st_gid) != 0) errno = 0;  // another user's: it becomes ours
  if (failed == 0 && (::fchmod(fd, like.st_mode & 07777) != 0 || ::fsync(fd) != 0)) failed = errno;
  ::close(fd);
  if (failed == 0) return {};
  ::unlink(path.c_str());
  return std::unexpected(store::file_error("cannot write", path, failed));
}

Result<void> put_in_place(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int failed = errno;
    ::unlink(from.c_str());
    return std::unexpected(store::file_error("cannot replace", to, failed));
  }
  const int folder = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return {};
  ::fsync(folder);
  ::close(folder);
  return {};
}

}  // namespace

std::string why_not_replaced(const std::string& path) {
  std::error_code failed;
  const fs::path file = fs::canonical(path, failed);
  if (failed) return "the file cannot be found: " + failed.message();
  if (!fs::is_regular_file(file, failed)) return "it is no regular file";
  for (const fs::path& needed : {file, file.parent_path()}) {
    if (::access(needed.c_str(), W_OK) != 0) {
      return needed.string() + " cannot be written: " + std::strerror(errno);
    }
  }
  return "";
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  std::error_code failed;
  const fs::path file = fs::canonical(path, failed);
  if (failed) return std::unexpected(store::file_error("cannot find", path, failed.value()));
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) {
    return std::unexpected(store::file_error("cannot read", file, errno));
  }
  std::ifstream old(file, std::ios::binary);
  const std::string before{std::istreambuf_iterator<char>(old), {}};
  const fs::path beside = file.string() + ".new", backup = file.string() + ".bak";
  if (auto kept = write_beside(beside, before, info); !kept) return kept;
  if (auto kept = put_in_place(beside, backup); !kept) return kept;
  if (auto written = write_beside(beside, content, info); !written) return written;
  return put_in_place(beside, file);
}

}  // namespace causeway::app
