// From one loop to the writer: what is noted of an exchange, and what was said in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/exchange_record.h"
#include "features/insight/traces/contents.h"

namespace causeway::traces {

using Record = ExchangeRecord;

/// Bounded. The loop never waits: what finds it full is dropped.
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
