// Where access-log lines end: a file with bounded size and a bounded number of predecessors
// (access.log, access.log.1 the newest, access.log.2, ...), or a standard stream. Used by one
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::log::detail {

class LogFile {
 public:
  /// `target` is a path, "stdout" or "stderr". `keep` predecessors are kept, 0 to 1000.
  LogFile(std::string target, std::uint64_t max_bytes, int keep);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  Result<void> open();
  /// Opens the path again, after another program moved the file away.
  Result<void> reopen();

  /// Appends two pieces that are whole lines together. An error means that a part may be missing;
  /// what follows begins on a line of its own. A stream that takes nothing for `patience` is an
  /// error, a file is waited for.
  Result<void> write(std::string_view first, std::string_view second,
                     std::chrono::milliseconds patience);

 private:
  Result<void> make_room(std::size_t size);
  Result<void> rotate();
  Result<void> put(std::string_view text, std::chrono::milliseconds patience);
  std::string numbered(int number) const;
  void close();

  const std::string target_;
  const std::uint64_t max_bytes_;
  const int keep_;
  const bool stream_;
  int fd_ = -1;
  bool regular_ = false;
  bool torn_ = false;  // the last line in the file has no end
  std::uint64_t size_ = 0;
};

}  // namespace causeway::log::detail
