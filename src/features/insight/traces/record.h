// What is remembered of one exchange: who, which way, every stage's time, every attempt; nothing of
// what was said. Fixed size, so that remembering allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/exchange.h"

namespace causeway::traces {

/// Text of at most N bytes; longer ones are cut.
template <std::size_t N>
struct Short {
  std::array<char, N> bytes{};
  std::uint8_t size = 0;
  void set(std::string_view text) {
    size = static_cast<std::uint8_t>(std::min(text.size(), N));
    text.copy(bytes.data(), size);
  }
  std::string_view view() const { return {bytes.data(), size}; }
};

struct AttemptRecord {
  Short<64> target;
  AttemptEnd end = AttemptEnd::Running;
  std::int8_t error = -1;  // ErrorKind, -1 = none
  std::uint32_t micros = 0;
};

struct Record {
  Short<64> id;
  std::array<char, 32> trace_id{};
  Short<24> key_id;
  Short<40> tenant;
  Short<96> model;
  Short<64> policy;
  std::int64_t started_millis = 0;  // Unix time
  std::uint16_t status = 0;
  std::int8_t error = -1;
  OperationKind operation = OperationKind::Chat;
  bool streamed = false, cut_by_client = false;
  Usage usage;
  std::int64_t cost_micros = -1;  // -1 = unpriced
  std::uint32_t total_micros = 0, first_content_micros = 0, upstream_micros = 0;
  std::array<StageMark, 16> marks{};
  std::uint8_t mark_count = 0;
  std::array<AttemptRecord, 4> attempts{};
  std::uint8_t attempt_count = 0;  // may be more than are kept
  std::uint64_t number = 0;        // grows; 0 = empty

  void set(const Exchange& exchange, const Outcome& outcome);
};

/// The last exchanges of one loop. The loop writes and never waits: where a reader holds the place
/// for the moment of its copy, the record goes to the next one.
class Ring {
 public:
  explicit Ring(std::size_t size) : places_(size) {}
  void add(const Exchange& exchange, const Outcome& outcome) noexcept;
  /// From any thread: copies of all records, in no order.
  void copy_to(std::vector<Record>& out) const;

 private:
  struct Place {
    mutable std::atomic_flag busy;
    Record record;
  };
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace causeway::traces
