// How much of something there was in the last so much time: never too little. The time is cut into
// 60 slots; an amount counts until its slot has left the window as a whole. So in no window,
// wherever one begins to count, is there more than the most; and what is there counts for at most a
// sixtieth of the window too long.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace causeway::limits {

class Window {
 public:
  static constexpr std::int64_t kSlots = 60;
  using Nanos = std::chrono::nanoseconds;

  /// `length` of the whole window, at least 60 ns; the same at each call.
  static std::int64_t slot_of(Nanos now, Nanos length) { return now / (length / kSlots); }

  /// What counts now. Time does not go backwards.
  std::int64_t sum(Nanos now, Nanos length) {
    advance(slot_of(now, length));
    return sum_;
  }
  /// Into the slot of now; answers which that is.
  std::int64_t add(std::int64_t amount, Nanos now, Nanos length) {
    const std::int64_t slot = slot_of(now, length);
    advance(slot);
    at(newest_) += amount;
    sum_ += amount;
    return newest_;
  }
  /// Into a slot of before: nothing happens where that does not count any more.
  void add_in(std::int64_t slot, std::int64_t amount) {
    if (slot > newest_ || slot < newest_ - kSlots) return;
    at(slot) += amount;
    sum_ += amount;
  }
  /// When the sum will have come down to `most`, if nothing is added: from now on; nothing where it
  /// never does.
  std::optional<Nanos> until(std::int64_t most, Nanos now, Nanos length) {
    std::int64_t left = sum(now, length);
    if (left <= most) return Nanos(0);
    for (std::int64_t slot = newest_ - kSlots; slot <= newest_; ++slot) {
      left -= at(slot);
      if (left <= most) return (slot + kSlots + 1) * (length / kSlots) - now;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::int64_t kRing = 64;  // a power of two above kSlots
  std::int64_t& at(std::int64_t slot) {
    return slots_[static_cast<std::size_t>(slot & (kRing - 1))];
  }
  void advance(std::int64_t slot) {
    if (slot <= newest_) return;
    if (slot - newest_ > kSlots) {
      slots_.fill(0);
      sum_ = 0;
    } else {
      // What stood in the ring's place of a new slot left the window long ago, or is cleared now.
      for (std::int64_t gone = newest_ - kSlots; gone < slot - kSlots; ++gone) {
        sum_ -= at(gone);
        at(gone) = 0;
      }
    }
    newest_ = slot;
  }

  std::array<std::int64_t, kRing> slots_{};
  std::int64_t newest_ = 0, sum_ = 0;
};

/// Requests spread over their window: at most so many at once, then one after the other (the
/// generic cell rate algorithm, ITU-T I.371, in the form of virtual scheduling).
class Spacing {
 public:
  using Nanos = std::chrono::nanoseconds;
  /// How long until one more may go; 0 = now.
  Nanos until(std::int64_t most, std::int64_t burst, Nanos length, Nanos now) const {
    const Nanos each = length / most;
    const Nanos early = each * (burst - 1);
    return std::max(Nanos(0), std::max(due_, now) - now - early);
  }
  void add(std::int64_t most, Nanos length, Nanos now) {
    due_ = std::max(due_, now) + length / most;
  }
  void take_back(std::int64_t most, Nanos length) { due_ -= length / most; }

 private:
  Nanos due_{0};
};

}  // namespace causeway::limits
