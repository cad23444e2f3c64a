#include "features/insight/alerts/cells.h"

#include <functional>
#include <new>
#include <type_traits>

namespace causeway::alerts {
namespace {

constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

// Zeroes that nobody wrote: memory is only taken for rows that are used.
LoopCells::LoopCells() : cells_(static_cast<Cell*>(std::calloc(kMost, sizeof(Cell)))) {
  static_assert(std::is_trivially_destructible_v<Cell>);
  if (!cells_) throw std::bad_alloc();
}

Cell& LoopCells::at(std::uint64_t target_hash, std::string_view target, std::string_view model,
                    std::string_view key) {
  if (wanted_anew_.load(std::memory_order_relaxed)) forget();
  const std::uint64_t hash =
      ((target_hash * kMix) ^ hash_of(model)) * kMix ^ hash_of(key) * (kMix | 2);
  return find(hash, target, model, key);
}

Cell& LoopCells::stranger(std::string_view address) {
  if (wanted_anew_.load(std::memory_order_relaxed)) forget();
  std::array<char, 64> name;
  kAddress.copy(name.data(), kAddress.size());
  const std::size_t size =
      address.copy(name.data() + kAddress.size(), name.size() - kAddress.size());
  std::string_view key(name.data(), kAddress.size() + size);
  const std::uint64_t hash = hash_of(key) ^ kMix;
  const std::size_t before = size_.load(std::memory_order_relaxed);
  if (strangers_ >= kMostStrangers) {
    // Whoever sends from many addresses takes no rows from callers that are known.
    for (std::size_t i = hash % kPlaces; places_[i] != 0; i = (i + 1) % kPlaces) {
      if (hashes_[places_[i] - 1u] == hash) return cells_[places_[i] - 1u];
    }
    return find(1, {}, {}, kOther);
  }
  Cell& cell = find(hash, {}, {}, key);
  strangers_ += size_.load(std::memory_order_relaxed) - before;
  return cell;
}

Cell& LoopCells::find(std::uint64_t hash, std::string_view target, std::string_view model,
                      std::string_view key) {
  std::size_t place = hash % kPlaces;
  for (; places_[place] != 0; place = (place + 1) % kPlaces) {
    const std::size_t number = places_[place] - 1u;
    if (hashes_[number] == hash) return cells_[number];
  }
  const std::uint32_t size = size_.load(std::memory_order_relaxed);
  if (size == kMost) {
    others_.store(others_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return cells_[kMost - 1];
  }
  Cell& cell = cells_[size];
  const bool last = size + 1 == kMost;
  cell.target.set(last ? kOther : target);
  cell.model.set(last ? kOther : model);
  cell.key.set(last ? kOther : key);
  hashes_[size] = last ? 0 : hash;
  places_[place] = static_cast<std::uint16_t>(size + 1);
  size_.store(size + 1, std::memory_order_release);
  return cell;
}

void LoopCells::forget() {
  const std::uint32_t generation = generation_.load(std::memory_order_relaxed);
  generation_.store(generation + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::uint32_t size = size_.load(std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < size; ++i) {
    for (auto& number : cells_[i].at) number.store(0, std::memory_order_relaxed);
  }
  hashes_.fill(0);
  places_.fill(0);
  strangers_ = 0;
  wanted_anew_.store(false, std::memory_order_relaxed);
  generation_.store(generation + 2, std::memory_order_release);
}

void Collector::take_loop(LoopCells& cells, Seen& seen, std::map<Subject, Counts>& sums) const {
  std::vector<std::pair<Subject, Numbers>> now;
  const std::uint32_t generation = cells.generation();
  const bool whole = cells.read([&now](std::uint32_t, const Cell& cell) {
    auto& [subject, numbers] = now.emplace_back();
    subject = {cell.target.view(), cell.model.view(), cell.key.view()};
    for (std::size_t i = 0; i < kColumns; ++i) {
      numbers[i] = cell.at[i].load(std::memory_order_relaxed);
    }
  });
  if (!whole || cells.generation() != generation) return;  // at the next look
  if (seen.generation != generation) seen = {generation, {}};
  seen.numbers.resize(std::max(seen.numbers.size(), now.size()));
  for (std::size_t row = 0; row < now.size(); ++row) {
    auto& [subject, numbers] = now[row];
    Counts change;
    for (std::size_t i = 0; i < kColumns; ++i) {
      change.at[i] = static_cast<float>(numbers[i] - seen.numbers[row][i]);
    }
    seen.numbers[row] = numbers;
    bool any = false;
    for (const float one : change.at) any |= one != 0;
    if (any) sums[std::move(subject)].add(change);
  }
  if (cells.is_full()) cells.begin_anew();
}

Rows Collector::take() {
  std::map<Subject, Counts> sums;
  for (std::size_t i = 0; i < loops_.size(); ++i) take_loop(*loops_[i], seen_[i], sums);
  Rows rows;
  for (auto& [subject, counts] : sums) rows.push_back({subject, counts});
  return rows;
}

}  // namespace causeway::alerts
