// Answers that outlive a restart: sealed, in a file of their own, so that a cache never makes the
// store of keys and totals slow or large. What goes wrong here is a miss, never an error.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <memory>
#include <mutex>
#include <string_view>

#include "features/traffic/cache/memory.h"
#include "platform/base/clock.h"
#include "platform/store/sealed.h"
#include "platform/store/store.h"

namespace causeway::cache {

class Disk {
 public:
  /// A file that cannot be read is thrown away: what was in it can be asked for again. Errors: of
  /// the disk.
  static Result<std::unique_ptr<Disk>> open(const store::DataFolder& folder, store::Sealed& sealed,
                                            const Clock& clock, std::size_t most_bytes);
  /// Whether it is worth a look: without waiting, from any thread.
  bool may_have(const Key& key) const;
  /// Waits for the disk: not on a loop. Null where there is none, or its time is up.
  std::shared_ptr<const Kept> read(const Key& key);
  /// Hands it to the writer, which never keeps anybody waiting. A flood of new answers is not worth
  /// a core: at most kMostWrites a second are kept, and none with a full queue. False: not now.
  static constexpr std::uint64_t kMostWrites = 500;
  bool put(const Key& key, std::shared_ptr<const Kept> kept);
  /// Takes out those of this tenant and model that were made by then; empty = of all. Waits for the
  /// disk.
  Result<std::size_t> clear(std::string_view tenant, std::string_view model,
                            Wall made_by = Wall::max());
  void set_most(std::size_t bytes) { most_bytes_.store(bytes, std::memory_order_relaxed); }

  struct Stats {
    std::size_t entries = 0, bytes = 0, most_bytes = 0;
    std::uint64_t dropped = 0;  // that the disk did not take
  };
  Stats stats() const;

 private:
  Disk(std::unique_ptr<store::Store> store, store::Sealed& sealed, const Clock& clock,
       std::size_t most_bytes)
      : sealed_(sealed), clock_(clock), most_bytes_(most_bytes), store_(std::move(store)) {}
  Result<void> load();
  Result<void> write(store::Database& db, const Key& key, const Kept& kept);
  Result<void> prune(store::Database& db);
  Result<void> forget(store::Database& db, std::int64_t row);

  store::Sealed& sealed_;
  const Clock& clock_;
  std::atomic<std::size_t> most_bytes_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::int64_t> second_{0};  // of the writes counted
  std::atomic<std::uint64_t> writes_in_second_{0};
  std::uint32_t writes_ = 0;  // on the writer's thread
  mutable std::mutex mutex_;
  boost::unordered_flat_set<std::uint64_t> known_;  // beginnings of keys: 8 bytes tell them well
  std::unique_ptr<store::Store> store_;             // last: its thread uses the others
};

}  // namespace causeway::cache
