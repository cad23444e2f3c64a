#include "platform/log/detail/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace causeway::log::detail {
namespace {

std::unexpected<Error> failure(const std::string& what, int error) {
  auto failed = fail(ErrorKind::Unavailable, Origin::Us, what + ": " + std::strerror(error));
  failed.error().retryable = true;
  return failed;
}

}  // namespace

LogFile::LogFile(std::string target, std::uint64_t max_bytes, int keep)
    : target_(std::move(target)),
      max_bytes_(max_bytes),
      keep_(std::clamp(keep, 0, 1000)),
      stream_(target_ == "stdout" || target_ == "stderr") {}

LogFile::~LogFile() { close(); }

void LogFile::close() {
  if (fd_ >= 0 && !stream_) ::close(fd_);
  fd_ = -1;
}

Result<void> LogFile::open() {
  if (stream_) {
    fd_ = target_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  } else {
    fd_ = ::open(target_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd_ < 0) return failure("cannot open the access log " + target_, errno);
  }
  struct stat status{};
  if (::fstat(fd_, &status) != 0) return failure("cannot look at " + target_, errno);
  regular_ = S_ISREG(status.st_mode);
  size_ = static_cast<std::uint64_t>(status.st_size);
  torn_ = false;
  return {};
}

Result<void> LogFile::reopen() {
  if (stream_) return {};
  close();
  return open();
}

std::string LogFile::numbered(int number) const { return target_ + "." + std::to_string(number); }

Result<void> LogFile::rotate() {
  // From the oldest on, each takes the place of its elder; the eldest is replaced and so unlinked.
  for (int number = keep_; number > 1; --number) {
    if (::rename(numbered(number - 1).c_str(), numbered(number).c_str()) != 0 && errno != ENOENT) {
      return failure("cannot rename " + numbered(number - 1), errno);
    }
  }
  const int result =
      keep_ > 0 ? ::rename(target_.c_str(), numbered(1).c_str()) : ::unlink(target_.c_str());
  if (result != 0 && errno != ENOENT) return failure("cannot rotate " + target_, errno);
  return reopen();
}

Result<void> LogFile::make_room(std::size_t size) {
  if (fd_ < 0) return open();
  if (stream_ || !regular_ || size_ == 0 || size_ + size <= max_bytes_) return {};
  return rotate();
}

Result<void> LogFile::write(std::string_view first, std::string_view second,
                            std::chrono::milliseconds patience) {
  if (auto room = make_room(first.size() + second.size()); !room) return room;
  if (torn_) {
    if (auto done = put("\n", patience); !done) return done;
    torn_ = false;
  }
  if (auto done = put(first, patience); !done) return done;
  return put(second, patience);
}

Result<void> LogFile::put(std::string_view text, std::chrono::milliseconds patience) {
  while (!text.empty()) {
    std::size_t piece = text.size();
    if (!regular_) {
      // A pipe that polls as writable takes PIPE_BUF bytes without blocking, but maybe not more.
      pollfd waiting{fd_, POLLOUT, 0};
      if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) {
        return failure("the reader of " + target_ + " does not keep up", EAGAIN);
      }
      piece = std::min<std::size_t>(piece, PIPE_BUF);
    }
    const ssize_t written = ::write(fd_, text.data(), piece);
    if (written <= 0) {
      if (written < 0 && errno == EINTR) continue;
      return failure("cannot write to " + target_, errno);
    }
    size_ += static_cast<std::uint64_t>(written);
    torn_ = text[static_cast<std::size_t>(written) - 1] != '\n';
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace causeway::log::detail
