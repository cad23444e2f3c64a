// One line per exchange, written where nobody waits for it: each loop puts its finished line (JSON
// from JsonWriter, without a line end) into a ring of its own, and one thread carries the rings'
// content to a file or a standard stream. A full ring or a failing disk costs lines, which are
// counted, and never a request.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::log {

class Log;

struct AccessLogOptions {
  std::string target = "stdout";                  // "stdout", "stderr" or a path
  std::uint64_t max_file_bytes = 100'000'000;     // then the file becomes <path>.1
  int keep_files = 5;                             // predecessors kept, so 600 MB in all
  std::size_t buffer_bytes = 1 << 20;             // per loop; the largest line is a quarter of it
  std::chrono::milliseconds write_interval{100};  // how old a line may become before it is written
};

class AccessLog {
 public:
  /// Opens the target at once, so that a wrong path shows at the start. Later trouble is reported
  /// to `log` when it begins and ends; `log` must outlive this.
  static Result<std::unique_ptr<AccessLog>> open(AccessLogOptions options, int loops, Log& log);
  /// Writes what the rings hold (a stuck stream gets a second), then ends the thread. Loops must
  /// have stopped writing.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// For the thread of loop `loop` only. False when there was no room and the line is lost.
  bool write(int loop, std::string_view line) noexcept;
  bool write(int loop, const Secret& line) = delete;

  /// Opens the path again (SIGHUP, after another program moved the file). From any thread; happens
  /// with the next write.
  void reopen();

  /// Waits until all lines handed over before the call were written or lost. For tests and drains;
  /// not on a loop.
  void flush();

  /// Lines lost since the start: no room in a ring, or not taken by the target.
  std::uint64_t dropped() const;
  /// Bytes written since the start.
  std::uint64_t written_bytes() const;

 private:
  struct Impl;
  explicit AccessLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::log
