#include "platform/process/line_splitter.h"

#include <algorithm>

namespace causeway::process {

void LineSplitter::add(std::string_view bytes, Monotonic now) {
  for (const char c : bytes) {
    if (c == '\n') {
      end_line(now);
    } else if (line_.size() >= limits_.line_bytes) {
      cut_ = true;
    } else if (c != '\r') {
      const auto byte = static_cast<unsigned char>(c);
      line_.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? '?' : c);
    }
  }
}

void LineSplitter::end_line(Monotonic now) {
  if (tokens_ < 0) {
    tokens_ = limits_.burst;
  } else {
    const std::chrono::duration<double> passed = now - refilled_;
    tokens_ = std::min(limits_.burst, tokens_ + passed.count() * limits_.lines_per_second);
  }
  refilled_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    report_dropped();
    if (cut_) line_ += " [cut]";
    sink_(line_);
  } else {
    ++dropped_;
  }
  line_.clear();
  cut_ = false;
}

void LineSplitter::report_dropped() {
  if (dropped_ == 0) return;
  sink_("[" + std::to_string(dropped_) + " lines dropped: too many at once]");
  dropped_ = 0;
}

void LineSplitter::finish() {
  report_dropped();
  if (!line_.empty()) {
    if (cut_) line_ += " [cut]";
    sink_(line_);
  }
  line_.clear();
  cut_ = false;
}

}  // namespace causeway::process
