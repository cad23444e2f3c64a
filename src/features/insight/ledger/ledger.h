// The ledger: each loop appends what an exchange used to its own journal ring; threads beside it
// sync the rings and fold them, once a second, into the totals that /api/usage shows. A settlement
// is counted exactly once, whenever the process is killed; the store is never needed to settle.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "features/insight/ledger/journal.h"
#include "features/insight/ledger/totals.h"
#include "platform/base/error.h"
#include "platform/store/folder.h"
#include "platform/store/store.h"

namespace causeway::ledger {

/// Something else that is kept beside the totals, in the same transaction.
class FoldGuest {
 public:
  virtual ~FoldGuest() = default;
  /// Whether there is something to store; `asked`: somebody wants to read it now.
  virtual bool due(bool asked) = 0;
  virtual Result<void> store(store::Database& db) = 0;
  /// Whether what store() wrote was kept.
  virtual void stored(bool kept) = 0;
};

class Ledger {
 public:
  struct Options {
    int loops = 1;
    std::uint64_t ring_records = 32'768;  // 8 MiB a loop
    std::chrono::milliseconds sync_every{50};
    std::chrono::milliseconds fold_every{1000};
    /// Told of trouble when it begins (an error) and when it ends (nothing), from a ledger thread.
    std::function<void(const Error*)> trouble;
  };

  /// What the last run left behind, for the log.
  struct Recovered {
    std::uint64_t records = 0, torn = 0, lost = 0;
    std::vector<std::filesystem::path> damaged;  // rings set aside, as they are named now
  };

  /// Folds what the last run left in the journal, then starts the threads.
  static Result<std::unique_ptr<Ledger>> open(store::Store& store, const store::DataFolder& folder,
                                              Options options);
  /// Folds the rest. The loops must have ended.
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// On loop `loop`'s own thread: about 100 ns, no lock, no call into the kernel. False when the
  /// ring is full; whether to serve on or to refuse is the policy's matter.
  bool append(int loop, const Settlement& settlement) noexcept {
    return rings_[static_cast<std::size_t>(loop)]->append(make_record(settlement));
  }
  /// Whether a new exchange could still be settled here: asked before it begins. Leaves room for
  /// those that are under way.
  bool has_room(int loop) const noexcept {
    const JournalRing& ring = *rings_[static_cast<std::size_t>(loop)];
    return ring.unfolded() < ring.capacity() - ring.capacity() / 8;
  }

  /// Folds now; returns when everything appended before the call is in the totals and on the disk.
  /// From a worker.
  Result<void> fold();
  /// Totals with everything that was appended before the call. From a worker.
  Result<std::vector<UsageRow>> usage(const UsageQuery& query);

  /// Asked at each fold from now on, on the folding thread.
  void set_guest(std::shared_ptr<FoldGuest> guest);

  /// From a worker: reads what fold() has stored.
  store::Store& store() { return store_; }

  const Recovered& recovered() const { return recovered_; }
  /// Records not folded yet, over all loops.
  std::uint64_t unfolded() const;

 private:
  Ledger(store::Store& store, Options options) : store_(store), options_(std::move(options)) {}
  Result<void> open_rings(const std::filesystem::path& folder);
  Result<void> fold_left_over(const std::filesystem::path& path);
  Result<std::unique_ptr<JournalRing>> open_ring(const std::filesystem::path& path);
  Result<void> fold_rings(std::vector<JournalRing*> rings, FoldGuest* guest = nullptr);
  void sync_loop();
  void fold_loop();
  void report(bool& in_trouble, const Result<void>& result);
  void find_place(const std::vector<JournalRing*>& rings);

  store::Store& store_;
  const Options options_;
  Recovered recovered_;
  std::vector<std::unique_ptr<JournalRing>> rings_;

  std::mutex mutex_;
  std::condition_variable wake_;    // the threads
  std::condition_variable folded_;  // who waits in fold()
  std::uint64_t asked_ = 0;         // number of the last fold asked for
  std::uint64_t answered_ = 0;      // last one that was done
  Result<void> last_fold_;
  std::shared_ptr<FoldGuest> guest_;
  bool stopped_ = false;

  std::mutex trouble_mutex_;  // one call of `trouble` at a time
  bool sync_trouble_ = false, fold_trouble_ = false;
  std::thread sync_thread_, fold_thread_;
};

}  // namespace causeway::ledger
