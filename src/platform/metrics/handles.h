// Cells for labels that are known only with the request, such as (model, provider, status class):
// values are numbers interned at config time, and a small table of one loop maps their combination
// to the cell. A hit costs a multiplication and a compare; a miss asks the registry, which locks,
// once per combination. A combination that falls out of the table is only looked up again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/metrics/registry.h"

namespace causeway::metrics {

/// For one loop's thread only. `N` is the family's number of labels, 1 to 4.
template <class Cell, std::size_t N>
class HandleCache {
  static_assert(N >= 1 && N <= 4);

 public:
  /// `bits` sets the room: 2^bits combinations of 16 bytes.
  HandleCache(Registry& registry, Family<Cell> family, int slot, unsigned bits = 8)
      : registry_(registry), family_(family), slot_(slot), shift_(64 - bits) {
    entries_.resize(std::size_t{1} << bits);
  }

  Cell& at(const std::array<LabelId, N>& labels) {
    std::uint64_t key = 0;
    for (const LabelId label : labels) key = key << 16 | label;
    Entry* entry = place(key, 0);
    if (entry->cell && entry->key == key) [[likely]] {
      return *entry->cell;
    }
    return find(key, labels);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    Cell* cell = nullptr;
  };

  Entry* place(std::uint64_t key, std::size_t step) {
    const std::size_t home = (key * 0x9E3779B97F4A7C15u) >> shift_;
    return &entries_[(home + step) & (entries_.size() - 1)];
  }

  Cell& find(std::uint64_t key, const std::array<LabelId, N>& labels) {
    constexpr std::size_t kProbes = 4;
    for (std::size_t step = 0; step < kProbes; ++step) {
      Entry* entry = place(key, step);
      if (!entry->cell) return fill(*entry, key, labels);
      if (entry->key == key) return *entry->cell;
    }
    return fill(*place(key, key % kProbes), key, labels);
  }

  Cell& fill(Entry& entry, std::uint64_t key, const std::array<LabelId, N>& labels) {
    std::array<std::string_view, N> values;
    for (std::size_t i = 0; i < N; ++i) values[i] = registry_.label(labels[i]);
    entry = {key, &registry_.cell(family_, slot_, values)};
    return *entry.cell;
  }

  Registry& registry_;
  Family<Cell> family_;
  int slot_;
  unsigned shift_;
  std::vector<Entry> entries_;
};

}  // namespace causeway::metrics
