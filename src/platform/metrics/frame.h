// What all series did within one step of time, in few bytes: only those that did something, numbers
// as long as they are large. An idle program's frame has some ten bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::metrics {

using SeriesId = std::uint32_t;

/// One series in a frame.
struct FrameEntry {
  SeriesId id = 0;
  bool histogram = false;
  double value = 0;  // a counter's increase, a gauge's value, the sum of a histogram's observations
  std::vector<std::pair<std::uint32_t, std::uint64_t>> counts;  // of the buckets that counted
};

class FrameWriter {
 public:
  /// Ids that grow by little from one call to the next take the fewest bytes.
  void add(SeriesId id, double value);
  /// A histogram: what each bucket counted, and the sum of it.
  void add(SeriesId id, std::span<const std::uint64_t> counts, double sum);
  std::string take();

 private:
  void begin(SeriesId id, bool histogram);
  std::string out_;
  SeriesId last_ = 0;
};

class FrameReader {
 public:
  explicit FrameReader(std::string_view bytes) : rest_(bytes) {}
  /// False at the end. Only for what a FrameWriter wrote.
  bool next(FrameEntry& entry);

 private:
  std::uint64_t number();
  double real();
  std::string_view rest_;
  SeriesId last_ = 0;
};

}  // namespace causeway::metrics
