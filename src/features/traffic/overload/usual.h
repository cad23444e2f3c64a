// What answers of each kind take while a model has little to do. For one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace causeway::overload {

/// Of one kind.
class Usual {
 public:
  void add(float seconds);
  void scale(float by);
  std::uint32_t count() const { return count_; }
  float low() const { return low_; }        // a quarter is faster
  float middle() const { return middle_; }  // a half

 private:
  static constexpr std::uint32_t kMost = 64;
  void sum_up();
  std::array<float, kMost> times_;  // the latest
  std::uint32_t count_ = 0, next_ = 0;
  float low_ = 0, middle_ = 0;
};

class Kinds {
 public:
  static constexpr std::size_t kMost = 72;
  struct Time {
    std::uint32_t kind;
    float seconds;
  };
  /// Null: nothing is known.
  const Usual* of(std::size_t kind) const { return kinds_[kind].get(); }
  void add(const Time& time);
  /// Where all but `few` of them took longer than usual, or all but `few` shorter, all kinds do:
  /// how many times as long; else 1.
  double shift(std::span<const Time> times, std::size_t few) const;
  void scale(double by);

 private:
  std::array<std::unique_ptr<Usual>, kMost> kinds_;
};

}  // namespace causeway::overload
