// What a loop notes of one exchange for the writer: who, which way, every stage's time, every
// attempt, what was found; nothing of what was said, that stands in Contents. Fixed size, so that
// noting it allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "features/insight/traces/contents.h"

namespace causeway::traces {

/// Text of at most N bytes; longer ones are cut.
template <std::size_t N>
struct Short {
  std::array<char, N> bytes;
  std::uint8_t size = 0;
  void set(std::string_view text) {
    size = static_cast<std::uint8_t>(std::min(text.size(), N));
    text.copy(bytes.data(), size);
  }
  std::string_view view() const { return {bytes.data(), size}; }
};

struct AttemptRecord {
  Short<96> target;
  Short<40> code;  // of the error
  std::string_view dialect;
  AttemptEnd end = AttemptEnd::Running;
  std::int8_t error = -1;    // ErrorKind, -1 = none
  std::uint16_t status = 0;  // the provider's, of an error
  std::uint32_t micros = 0;
};

struct Record {
  Short<128> id;
  std::array<char, 32> trace_id;
  Short<40> key_id;
  Short<64> tenant, user;
  Short<96> model;
  Short<96> policy;
  Short<40> code;            // of the error
  std::string_view dialect;  // the application's; lives as long as the program, as those of Fired
  std::int64_t started_micros = 0;  // Unix time
  std::uint64_t config_version = 0;
  std::uint64_t request_bytes = 0, answer_bytes = 0;
  std::uint16_t status = 0;
  std::int8_t error = -1;
  OperationKind operation = OperationKind::Chat;
  Stop stop = Stop::None;
  bool streamed = false, cut_by_client = false;
  Usage usage;
  std::int64_t cost_micros = -1;  // -1 = unpriced
  std::uint32_t total_micros = 0, first_content_micros = 0, upstream_micros = 0;
  std::array<StageMark, 24> marks;
  std::array<AttemptRecord, 4> attempts;
  std::array<Fired, 16> fired;
  std::uint8_t mark_count = 0, fired_count = 0;
  std::uint8_t attempt_count = 0;  // may be more than are kept

  void set(const Exchange& exchange, const Outcome& outcome);
  std::int64_t ended() const { return started_micros + total_micros; }
  std::size_t attempts_kept() const {
    return std::min<std::size_t>(attempt_count, attempts.size());
  }
};

/// From one loop to the writer; bounded. The loop never waits: what finds it full is dropped.
class Queue {
 public:
  struct Place {
    Record record;
    std::unique_ptr<Contents> contents;
  };

  explicit Queue(std::size_t size) : places_(size) {}

  /// The loop's side. Where the next record is to be written; null when full, which is counted.
  Place* begin_push() {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) < places_.size()) {
      return &places_[head % places_.size()];
    }
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return nullptr;
  }
  /// Whether the writer should not wait for its next turn: half of the places are taken.
  bool end_push() {
    const auto head = head_.load(std::memory_order_relaxed) + 1;
    head_.store(head, std::memory_order_release);
    return head - tail_.load(std::memory_order_relaxed) == places_.size() / 2;
  }

  /// The writer's side: the oldest of what is there, or null; it stays until pop().
  Place* front() {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return nullptr;
    return &places_[tail % places_.size()];
  }
  void pop() { tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::vector<Place> places_;
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> dropped_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
};

}  // namespace causeway::traces
