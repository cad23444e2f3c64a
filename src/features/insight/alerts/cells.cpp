#include "features/insight/alerts/cells.h"

#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace causeway::alerts {
namespace {

constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

// Zeroes that nobody wrote: memory is only taken for rows that are used.
LoopCells::Table::Table() : cells(static_cast<Cell*>(std::calloc(kMost, sizeof(Cell)))) {
  static_assert(std::is_trivially_destructible_v<Cell>);
  if (!cells) throw std::bad_alloc();
}

void LoopCells::Table::clear() {
  const std::uint32_t used = size.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) {
    for (auto& number : cells[i].at) number.store(0, std::memory_order_relaxed);
  }
  size.store(0, std::memory_order_relaxed);
  hashes.fill(0);
  places.fill(0);
  strangers = 0;
}

LoopCells::Table& LoopCells::present() {
  const std::uint32_t generation = generation_.load(std::memory_order_relaxed);
  // Acquired: what the reader did with the other table is over.
  if (wanted_.load(std::memory_order_acquire) != generation + 1) return tables_[generation % 2];
  Table& next = tables_[(generation + 1) % 2];
  next.clear();
  generation_.store(generation + 1, std::memory_order_release);
  return next;
}

std::span<const Cell> LoopCells::cells(std::uint32_t generation) const {
  const Table& table = tables_[generation % 2];
  return {table.cells.get(), table.size.load(std::memory_order_acquire)};
}

Cell& LoopCells::at(std::uint64_t target_hash, std::string_view target, std::string_view model,
                    std::string_view key) {
  const std::uint64_t hash =
      ((target_hash * kMix) ^ hash_of(model)) * kMix ^ hash_of(key) * (kMix | 2);
  return find(present(), hash, target, model, key);
}

Cell& LoopCells::stranger(std::string_view address) {
  Table& table = present();
  std::array<char, 64> name;
  kAddress.copy(name.data(), kAddress.size());
  const std::size_t size =
      address.copy(name.data() + kAddress.size(), name.size() - kAddress.size());
  const std::string_view key(name.data(), kAddress.size() + size);
  const std::uint64_t hash = hash_of(key) ^ kMix;
  if (table.strangers >= kMostStrangers) {
    // Whoever sends from many addresses takes no rows from callers that are known.
    for (std::size_t i = hash % kPlaces; table.places[i] != 0; i = (i + 1) % kPlaces) {
      const std::size_t number = table.places[i] - 1u;
      if (table.hashes[number] == hash) return table.cells[number];
    }
    return find(table, 1, {}, {}, kOther);
  }
  const std::size_t before = table.size.load(std::memory_order_relaxed);
  Cell& cell = find(table, hash, {}, {}, key);
  table.strangers += table.size.load(std::memory_order_relaxed) - before;
  return cell;
}

Cell& LoopCells::find(Table& table, std::uint64_t hash, std::string_view target,
                      std::string_view model, std::string_view key) {
  std::size_t place = hash % kPlaces;
  for (; table.places[place] != 0; place = (place + 1) % kPlaces) {
    const std::size_t number = table.places[place] - 1u;
    if (table.hashes[number] == hash) return table.cells[number];
  }
  const std::uint32_t size = table.size.load(std::memory_order_relaxed);
  if (size == kMost) {
    others_.store(others_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return table.cells[kMost - 1];
  }
  Cell& cell = table.cells[size];
  const bool last = size + 1 == kMost;
  cell.target.set(last ? kOther : target);
  cell.model.set(last ? kOther : model);
  cell.key.set(last ? kOther : key);
  table.hashes[size] = last ? 0 : hash;
  table.places[place] = static_cast<std::uint16_t>(size + 1);
  table.size.store(size + 1, std::memory_order_release);
  return cell;
}

void Collector::take_cells(std::span<const Cell> cells, std::vector<Numbers>& seen,
                           std::map<Subject, Counts>& sums) {
  seen.resize(std::max(seen.size(), cells.size()));
  for (std::size_t row = 0; row < cells.size(); ++row) {
    Counts change;
    bool any = false;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const std::uint64_t now = cells[row].at[i].load(std::memory_order_relaxed);
      change.at[i] = static_cast<float>(now - std::exchange(seen[row][i], now));
      any |= change.at[i] != 0;
    }
    if (!any) continue;
    const Cell& cell = cells[row];
    sums[{cell.target.view(), cell.model.view(), cell.key.view()}].add(change);
  }
}

void Collector::take_loop(LoopCells& cells, Seen& seen, std::map<Subject, Counts>& sums) {
  const std::uint32_t generation = cells.generation();
  if (generation != seen.generation) {
    take_cells(cells.cells(seen.generation), seen.numbers, sums);  // the last of it
    seen = {generation, {}};
  }
  const auto present = cells.cells(generation);
  take_cells(present, seen.numbers, sums);
  if (present.size() == LoopCells::kMost) cells.begin_anew(generation);
}

Rows Collector::take() {
  std::map<Subject, Counts> sums;
  for (std::size_t i = 0; i < loops_.size(); ++i) take_loop(*loops_[i], seen_[i], sums);
  Rows rows;
  for (auto& [subject, counts] : sums) rows.push_back({subject, counts});
  return rows;
}

}  // namespace causeway::alerts
