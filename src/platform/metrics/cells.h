// What a hot path holds: a counter, a gauge or a histogram that one thread writes and the scraping
// thread reads. No lock and no locked instruction: the owner's plain load, add and store are
// enough. Cells come from Registry and live as long as it does. Threads outside the loops share the
// registry's background cells and use the *_shared forms.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace causeway::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void add_shared(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What loops set is summed by the export: each sets its own part (its connections, its bytes).
class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void add_shared(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Histogram {
 public:
  /// For Registry: `bounds` ascending; `counts` has one place more, for what lies above all bounds.
  Histogram(std::span<const double> bounds, std::atomic<std::uint64_t>* counts)
      : bounds_(bounds.data()), size_(bounds.size()), counts_(counts) {}

  /// In the unit of the family, which is seconds for times. A value equal to a bound is within it;
  /// NaN counts as above all bounds and leaves the sum alone.
  void observe(double value) noexcept {
    auto& count = counts_[bucket(value)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (value == value) {
      sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
    }
  }
  void observe_shared(double value) noexcept {
    counts_[bucket(value)].fetch_add(1, std::memory_order_relaxed);
    if (value == value) sum_.fetch_add(value, std::memory_order_relaxed);
  }

  std::size_t buckets() const noexcept { return size_ + 1; }
  /// Observations in one bucket alone, not cumulated.
  std::uint64_t count(std::size_t index) const noexcept {
    return counts_[index].load(std::memory_order_relaxed);
  }
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  /// The first bound that is not below `value`, by halving without a branch that could be
  /// mispredicted.
  std::size_t bucket(double value) const noexcept {
    const double* first = bounds_;
    std::size_t left = size_;
    while (left > 0) {
      const std::size_t half = left / 2;
      const bool above = !(value <= first[half]);
      first += above ? half + 1 : 0;
      left = above ? left - half - 1 : half;
    }
    return static_cast<std::size_t>(first - bounds_);
  }

  const double* bounds_;
  std::size_t size_;
  std::atomic<std::uint64_t>* counts_;
  std::atomic<double> sum_{0};
};

}  // namespace causeway::metrics
