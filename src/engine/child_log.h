// What a child wrote: its last lines in memory, and a log file that is bounded in size (one older
// file is kept beside it). Any thread may add and read.
#pragma once

#include <cstddef>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::engine {

class ChildLog {
 public:
  struct Limits {
    std::size_t lines = 200;                   // in memory
    std::size_t file_bytes = 4 * 1024 * 1024;  // then FILE becomes FILE.1
  };

  /// `path` empty: no file. A file that cannot be written is left out silently: the lines in memory
  /// stay, and the engine does not depend on it.
  ChildLog(std::string path, Limits limits);
  explicit ChildLog(std::string path) : ChildLog(std::move(path), Limits{}) {}

  void add(std::string_view line);
  /// As add(); marks that a new child begins, so that last_error() looks no further back.
  void begin(std::string_view line);
  /// The last `count` lines, oldest first.
  std::vector<std::string> last(std::size_t count) const;
  /// Of the child that began last: the last line that looks like the reason of a failure, else its
  /// last line, else empty.
  std::string last_error() const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void add_locked(std::string_view line);
  void write(std::string_view line);
  void open();

  const std::string path_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
  std::size_t of_this_child_ = 0;  // how many of lines_ came after begin()
  std::unique_ptr<std::FILE, Close> file_;
  std::size_t written_ = 0;
};

}  // namespace causeway::engine
