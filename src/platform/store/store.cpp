#include "platform/store/store.h"

#include <algorithm>
#include <future>
#include <utility>

#include "platform/base/worker.h"

namespace causeway::store {

Result<std::unique_ptr<Store>> Store::open(const DataFolder& folder) {
  return open(folder, Limits{});
}

Result<std::unique_ptr<Store>> Store::open(const DataFolder& folder, Limits limits,
                                           std::string_view file) {
  auto path = folder.file(std::string(file));
  auto writer = Database::open(path, Database::Mode::Write);
  if (!writer) return pass(std::move(writer));
  return std::unique_ptr<Store>(new Store(std::move(path), limits, std::move(*writer)));
}

Store::Store(std::filesystem::path path, Limits limits, std::unique_ptr<Database> writer)
    : path_(std::move(path)),
      limits_(limits),
      writer_(std::move(writer)),
      thread_(start_thread("store-writer", [this] { write_loop(); })) {}

Store::~Store() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Result<void> Store::enqueue(Pending pending) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return fail(ErrorKind::Unavailable, Origin::Us, "the store is closing");
    if (pending_.size() >= limits_.queued) {
      auto busy =
          fail(ErrorKind::Overloaded, Origin::Us, "the store is busy; try again", "store_busy");
      busy.error().retryable = true;
      return busy;
    }
    pending_.push_back(std::move(pending));
  }
  wake_.notify_one();
  return {};
}

Result<void> Store::write(Job job, Done done) {
  return enqueue({std::move(job), std::move(done), false});
}

Result<void> Store::enqueue_and_wait(Job job, bool alone) {
  std::promise<Result<void>> promise;
  auto future = promise.get_future();
  auto queued =
      enqueue({std::move(job),
               [&promise](Result<void> result) { promise.set_value(std::move(result)); }, alone});
  if (!queued) return queued;
  return future.get();
}

Result<void> Store::write_and_wait(Job job) { return enqueue_and_wait(std::move(job), false); }

Result<void> Store::migrate(std::string_view area, std::span<const Migration> steps) {
  return enqueue_and_wait([area, steps](Database& db) { return db.migrate(area, steps); }, true);
}

Result<void> Store::compact_log() {
  return enqueue_and_wait(
      [](Database& db) -> Result<void> {
        bool blocked = false;
        auto done = db.query("pragma wal_checkpoint(truncate)", {}, [&blocked](const Row& row) {
          blocked = row.integer(0) != 0;
          return false;
        });
        if (done && blocked) {
          return fail(ErrorKind::Overloaded, Origin::Us,
                      "the store's log is in use by a reader; try again", "store_busy");
        }
        return done;
      },
      true);
}

void Store::write_loop() {
  std::vector<Pending> group;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopped_ || !pending_.empty(); });
    if (pending_.empty()) return;
    // While one commit waits for the disk the next group gathers: no delay is added to anything.
    while (!pending_.empty() && group.size() < limits_.per_commit) {
      if (pending_.front().alone && !group.empty()) break;
      group.push_back(std::move(pending_.front()));
      pending_.pop_front();
      if (group.back().alone) break;
    }
    lock.unlock();
    commit(group);
    group.clear();
    lock.lock();
  }
}

void Store::commit(std::vector<Pending>& group) {
  Database& db = *writer_;
  if (group.front().alone) {
    group.front().done(group.front().job(db));
    return;
  }
  std::vector<Result<void>> results(group.size());
  Result<void> whole = db.script("begin immediate");
  for (std::size_t i = 0; i < group.size() && whole; ++i) {
    // run() keeps what it has prepared; script() would parse these for each job.
    if (auto begun = db.run("savepoint job"); !begun) {
      whole = pass(std::move(begun));
      break;
    }
    results[i] = group[i].job(db);
    // A full disk may make SQLite undo the whole transaction by itself.
    if (!db.in_transaction()) {
      whole = results[i] ? fail(ErrorKind::Internal, Origin::Us, "the transaction was lost")
                         : results[i];
    } else if (!results[i]) {
      whole = db.script("rollback to job; release job");
    } else if (auto released = db.run("release job"); !released) {
      whole = pass(std::move(released));
    }
  }
  if (whole) whole = db.script("commit");
  if (!whole && db.in_transaction()) (void)db.script("rollback");
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i].done(!whole && results[i] ? whole : std::move(results[i]));
  }
}

Result<std::unique_ptr<Database>> Store::take_reader() {
  {
    std::unique_lock lock(readers_mutex_);
    reader_free_.wait(lock,
                      [this] { return !readers_.empty() || readers_open_ < limits_.readers; });
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
    ++readers_open_;
  }
  auto reader = Database::open(path_, Database::Mode::Read);
  if (!reader) {
    std::lock_guard lock(readers_mutex_);
    --readers_open_;
    reader_free_.notify_one();
  }
  return reader;
}

void Store::give_reader(std::unique_ptr<Database> reader) {
  std::lock_guard lock(readers_mutex_);
  readers_.push_back(std::move(reader));
  reader_free_.notify_one();
}

Result<void> Store::read(const std::function<Result<void>(Database&)>& job) {
  auto reader = take_reader();
  if (!reader) return pass(std::move(reader));
  Result<void> result = (*reader)->script("begin");
  if (result) result = job(**reader);
  if ((*reader)->in_transaction()) (void)(*reader)->script("commit");
  give_reader(std::move(*reader));
  return result;
}

}  // namespace causeway::store
