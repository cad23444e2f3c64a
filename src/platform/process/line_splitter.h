// Cuts a byte stream of another program into log lines, bounded in length and rate: what a child
// writes can neither fill memory nor flood the log. Pure bookkeeping, no files.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "platform/base/clock.h"

namespace causeway::process {

class LineSplitter {
 public:
  struct Limits {
    std::size_t line_bytes = 2048;  // the rest of a longer line is dropped
    double lines_per_second = 200;  // on average; above, lines are counted and dropped
    double burst = 400;             // lines at once
  };
  using Sink = std::function<void(std::string_view line)>;

  LineSplitter(Limits limits, Sink sink) : limits_(limits), sink_(std::move(sink)) {}

  /// Control characters are replaced by '?', so that a line is one line wherever it is shown.
  void add(std::string_view bytes, Monotonic now);
  /// The end of the stream: hands out an unfinished line and the count of dropped ones.
  void finish();

 private:
  void end_line(Monotonic now);
  void report_dropped();

  Limits limits_;
  Sink sink_;
  std::string line_;
  bool cut_ = false;
  std::size_t dropped_ = 0;
  double tokens_ = -1;  // below zero: not begun
  Monotonic refilled_{};
};

}  // namespace causeway::process
