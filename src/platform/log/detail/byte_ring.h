// Lines from one thread to one other, through a ring of bytes: no lock, no call into the system, no
// allocation after the first. A line goes in whole or not at all, so that the reader always sees
// whole lines.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace causeway::log::detail {

class ByteRing {
 public:
  enum class Push {
    Done,
    HalfFull,  // done, and with this line more than half of the room is taken
    Full,      // not taken
  };

  /// Room for at least `bytes`, rounded up to a power of two.
  explicit ByteRing(std::size_t bytes)
      : capacity_(std::bit_ceil(bytes)), bytes_(new char[capacity_]) {}

  /// For the writing thread. The line end is added.
  Push push(std::string_view line) {
    const std::size_t size = line.size() + 1;
    const std::size_t head = head_.load(std::memory_order_relaxed);
    std::size_t used = head - seen_tail_;
    if (used + size > capacity_ / 2) {  // by what was last seen; the reader may be further
      seen_tail_ = tail_.load(std::memory_order_acquire);
      used = head - seen_tail_;
      if (used + size > capacity_) return Push::Full;
    }
    put(head, line);
    bytes_[(head + line.size()) & (capacity_ - 1)] = '\n';
    head_.store(head + size, std::memory_order_release);
    const bool crossed = used <= capacity_ / 2 && used + size > capacity_ / 2;
    return crossed ? Push::HalfFull : Push::Done;
  }

  struct Pieces {
    std::string_view first;
    std::string_view second;  // from the beginning of the ring; empty unless the lines wrap around
    std::size_t size() const { return first.size() + second.size(); }
  };

  /// For the reading thread: all lines that are there. Valid until consume().
  Pieces readable() const {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t size = head_.load(std::memory_order_acquire) - tail;
    const std::size_t start = tail & (capacity_ - 1);
    const std::size_t until_end = capacity_ - start;
    if (size <= until_end) return {{bytes_.get() + start, size}, {}};
    return {{bytes_.get() + start, until_end}, {bytes_.get(), size - until_end}};
  }

  /// For the reading thread: gives the room of `size` bytes back.
  void consume(std::size_t size) {
    tail_.store(tail_.load(std::memory_order_relaxed) + size, std::memory_order_release);
  }

 private:
  void put(std::size_t at, std::string_view text) {
    const std::size_t start = at & (capacity_ - 1);
    const std::size_t until_end = capacity_ - start;
    if (text.size() <= until_end) {
      std::memcpy(bytes_.get() + start, text.data(), text.size());
    } else {
      std::memcpy(bytes_.get() + start, text.data(), until_end);
      std::memcpy(bytes_.get(), text.data() + until_end, text.size() - until_end);
    }
  }

  const std::size_t capacity_;
  const std::unique_ptr<char[]> bytes_;
  // Counted without wrapping. Each on a cache line of its own, since two threads write them.
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t seen_tail_ = 0;  // the writer's copy of tail_, so that it rarely reads the other line
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace causeway::log::detail
