// The durable store of one process: one thread writes, and everything that waits for it goes into
// one commit (a commit with synchronous=FULL takes 3 ms, a row in a shared one 60 us); readers have
// connections of their own and never wait for the writer. Never needed to answer a request.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/base/error.h"
#include "platform/store/database.h"
#include "platform/store/folder.h"

namespace causeway::store {

class Store {
 public:
  /// Part of one transaction. An error undoes what this job did and nothing else. Runs on the
  /// writer's thread; must not wait for the store, and not end the transaction.
  using Job = std::move_only_function<Result<void>(Database&)>;
  using Done = std::move_only_function<void(Result<void>)>;

  struct Limits {
    std::size_t queued = 4096;     // jobs that may wait; more are refused with Overloaded
    std::size_t per_commit = 512;  // jobs that share one commit
    std::size_t readers = 4;       // connections that read at the same time
  };

  /// Opens or makes `causeway.db` in the folder, or another file. The folder stays locked by its
  /// owner and must outlive the store.
  static Result<std::unique_ptr<Store>> open(const DataFolder& folder, Limits limits,
                                             std::string_view file = "causeway.db");
  static Result<std::unique_ptr<Store>> open(const DataFolder& folder);
  /// Commits what is queued, then closes.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Hands a job to the writer. `done` runs on the writer's thread when the commit is on the disk,
  /// or with the error that undid the job; it must be short (post to a loop). Where this answers an
  /// error, neither runs. From any thread, never waits.
  Result<void> write(Job job, Done done);

  /// The same, waiting for the commit. Not from a loop, not from a job.
  Result<void> write_and_wait(Job job);

  /// Runs `job` on a connection that can only read, on the calling thread (a worker's). It sees
  /// what was committed before it began.
  Result<void> read(const std::function<Result<void>(Database&)>& job);

  /// Brings the tables of an area up to date. At start-up.
  Result<void> migrate(std::string_view area, std::span<const Migration> steps);

  /// Moves the write-ahead log into the file and empties it, so that what was deleted is nowhere
  /// on the disk. Waits for the writer.
  Result<void> compact_log();

 private:
  struct Pending {
    Job job;
    Done done;
    bool alone = false;  // outside a transaction
  };

  Store(std::filesystem::path path, Limits limits, std::unique_ptr<Database> writer);
  Result<void> enqueue(Pending pending);
  Result<void> enqueue_and_wait(Job job, bool alone);
  void write_loop();
  void commit(std::vector<Pending>& group);
  Result<std::unique_ptr<Database>> take_reader();
  void give_reader(std::unique_ptr<Database> reader);

  const std::filesystem::path path_;
  const Limits limits_;
  std::unique_ptr<Database> writer_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Pending> pending_;
  bool stopped_ = false;

  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Database>> readers_;
  std::size_t readers_open_ = 0;

  std::thread thread_;  // last: it uses the others
};

}  // namespace causeway::store
