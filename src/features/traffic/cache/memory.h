// Answers in memory: bounded in bytes, the one that was not used longest goes first; each lives
// until its time is up. Safe from any thread; a short lock on one of several parts.
#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/exchange.h"
#include "features/traffic/cache/key.h"
#include "platform/base/clock.h"
#include "platform/base/recycled.h"

namespace causeway::cache {

/// An answer as it is kept: compressed where it is long and that makes it smaller.
struct Kept {
  StoredAnswer answer;  // its body is not there where it is compressed
  std::string packed;
  std::uint32_t plain_size = 0;
  bool compressed = false;
  std::string tenant, model;  // whose it is, and the model asked for: for clearing
  Wall made{}, until{};
  mutable std::atomic<bool> on_disk{false};  // or handed over for it

  std::string_view bytes() const { return compressed ? packed : answer.body(); }
  std::size_t size() const;  // in memory, about
};
/// Of an answer that has no padding yet, as a tap takes it.
std::shared_ptr<Kept> pack(StoredAnswer answer);
/// What was not compressed is given as it lies there. Null where the bytes are none that pack()
/// gave.
std::shared_ptr<const StoredAnswer> unpack(std::shared_ptr<const Kept> kept);

/// The answer itself as one text, to be sealed and laid somewhere else; without whose it is and its
/// times.
std::string written(const Kept& kept);
/// False where the text is none that written() gave.
bool read_written(std::string_view text, Kept& kept);

class Memory {
 public:
  explicit Memory(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Null where there is none, or its time is up.
  std::shared_ptr<const Kept> find(const Key& key, Wall now);
  /// In the place of what was there. One larger than a part's share of the memory is not kept.
  void put(const Key& key, std::shared_ptr<const Kept> kept);
  /// Takes out those of this tenant and model that were made by then; empty = of all. Answers how
  /// many.
  std::size_t clear(std::string_view tenant, std::string_view model, Wall made_by = Wall::max());
  void set_most(std::size_t bytes);

  struct Stats {
    std::size_t entries = 0, bytes = 0, most_bytes = 0;
    std::uint64_t evicted = 0, expired = 0;
  };
  Stats stats() const;

 private:
  static constexpr std::size_t kParts = 16;
  struct Entry {
    Key key;
    std::shared_ptr<const Kept> kept;
  };
  using Order = std::list<Entry, Recycled<Entry>>;  // used last in front
  struct alignas(64) Part {
    mutable std::mutex mutex;
    Order order;
    boost::unordered_flat_map<Key, Order::iterator, KeyHash> entries;
    std::size_t bytes = 0;
  };
  Part& part_of(const Key& key) { return parts_[key[31] % kParts]; }
  void drop(Part& part, Order::iterator entry);
  void shrink(Part& part, std::size_t most);

  std::atomic<std::size_t> most_bytes_;
  std::array<Part, kParts> parts_;
  std::atomic<std::uint64_t> evicted_{0}, expired_{0};
};

}  // namespace causeway::cache
