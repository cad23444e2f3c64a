// Counts equal messages in a window of time, in a small table of fixed size, so that no fault that
// repeats with every request can flood the log.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "platform/base/clock.h"

namespace causeway::log::detail {

/// Not thread-safe.
class RepeatLimit {
 public:
  static constexpr std::uint32_t kBurst = 20;
  static constexpr std::chrono::seconds kWindow{10};

  /// nullopt: leave this message out. Else the number of those left out since the last one written.
  std::optional<std::uint64_t> admit(std::string_view message, Monotonic now) {
    Entry& entry = find(std::hash<std::string_view>{}(message), now);
    if (now - entry.start >= kWindow) {
      entry.start = now;
      entry.count = 0;
    }
    if (entry.count >= kBurst) {
      ++entry.suppressed;
      return std::nullopt;
    }
    ++entry.count;
    return std::exchange(entry.suppressed, 0);
  }

 private:
  struct Entry {
    std::size_t hash = 0;
    bool used = false;
    Monotonic start{};
    std::uint32_t count = 0;
    std::uint64_t suppressed = 0;
  };
  static constexpr std::size_t kWays = 4;

  /// The entry of a message; when it has none, in the place of the one that began longest ago.
  Entry& find(std::size_t hash, Monotonic now) {
    const std::size_t first = hash % (entries_.size() / kWays) * kWays;
    Entry* oldest = &entries_[first];
    for (std::size_t i = first; i < first + kWays; ++i) {
      Entry& entry = entries_[i];
      if (entry.used && entry.hash == hash) return entry;
      if (!entry.used || (oldest->used && entry.start < oldest->start)) oldest = &entry;
    }
    *oldest = Entry{hash, true, now, 0, 0};
    return *oldest;
  }

  std::array<Entry, 128> entries_{};
};

}  // namespace causeway::log::detail
