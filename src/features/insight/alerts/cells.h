// Where loops count: each has a table of its own, laid out once, that it alone writes with plain
// loads and stores; the control loop reads it at its leisure and looks at the differences. A table
// that is full counts under "other"; one that has been full for long begins anew.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "features/insight/alerts/counts.h"

namespace causeway::alerts {

/// Text of at most N bytes; longer ones are cut.
template <std::size_t N>
struct Short {
  std::array<char, N> bytes;
  std::uint8_t size = 0;
  void set(std::string_view text) {
    size = static_cast<std::uint8_t>(std::min(text.size(), N));
    text.copy(bytes.data(), size);
  }
  std::string view() const { return {bytes.data(), size}; }
};

/// Whom a row is about; empty where there is none.
struct Subject {
  std::string target, model, key;
  auto operator<=>(const Subject&) const = default;
};
inline constexpr std::string_view kOther = "other";
/// In the place of a key: the address of somebody whose key was refused.
inline constexpr std::string_view kAddress = "address ";

struct Row {
  Subject subject;
  Counts counts;
};
using Rows = std::vector<Row>;

/// One row as its loop writes it.
struct Cell {
  Short<96> target, model;
  Short<64> key;
  std::array<std::atomic<std::uint64_t>, kColumns> at;
  void add(std::size_t column, std::uint64_t n = 1) {
    at[column].store(at[column].load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// The cells of a loop. There are two tables: one is written; the other is empty, or the reader has
/// not yet seen the last of it.
class LoopCells {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kMostStrangers = 16;

  // The loop's side. `target_hash` is Target::key.
  Cell& at(std::uint64_t target_hash, std::string_view target, std::string_view model,
           std::string_view key);
  /// Of callers that are nobody: by address, of which the first few have rows of their own.
  Cell& stranger(std::string_view address);

  // The reader's side.
  std::uint32_t generation() const { return generation_.load(std::memory_order_acquire); }
  /// The cells of this generation, which is the present one or the one before.
  std::span<const Cell> cells(std::uint32_t generation) const;
  std::uint64_t others() const { return others_.load(std::memory_order_relaxed); }
  /// Asks the loop to count in the other table from now on, if this is still the present one. The
  /// reader must have seen the end of the generation before.
  void begin_anew(std::uint32_t generation) {
    wanted_.store(generation + 1, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kPlaces = 1024;
  struct Free {
    void operator()(Cell* cells) const { std::free(cells); }
  };
  struct Table {
    Table();
    void clear();
    std::array<std::uint64_t, kMost> hashes{};
    std::array<std::uint16_t, kPlaces> places{};  // by hash: number of the cell + 1
    std::unique_ptr<Cell[], Free> cells;
    std::size_t strangers = 0;
    std::atomic<std::uint32_t> size{0};
  };

  Table& present();
  Cell& find(Table& table, std::uint64_t hash, std::string_view target, std::string_view model,
             std::string_view key);

  std::array<Table, 2> tables_;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::uint32_t> wanted_{0};
  std::atomic<std::uint64_t> others_{0};
};

/// Reads all loops and gives what was counted since the last time, by subject, summed over them.
class Collector {
 public:
  explicit Collector(std::vector<std::unique_ptr<LoopCells>>& loops) : loops_(loops) {
    seen_.resize(loops.size());
  }
  Rows take();

 private:
  using Numbers = std::array<std::uint64_t, kColumns>;
  struct Seen {
    std::uint32_t generation = 0;
    std::vector<Numbers> numbers;
  };
  static void take_loop(LoopCells& cells, Seen& seen, std::map<Subject, Counts>& sums);
  static void take_cells(std::span<const Cell> cells, std::vector<Numbers>& seen,
                         std::map<Subject, Counts>& sums);
  std::vector<std::unique_ptr<LoopCells>>& loops_;
  std::vector<Seen> seen_;
};

}  // namespace causeway::alerts
