// All traces on the disk: one thread takes records from the loops' queues and adds them to the
// newest partition; readers search the partitions, newest first. Neither a slow disk nor a full one
// is felt by a loop: what finds no place is dropped and counted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "features/insight/traces/config.h"
#include "features/insight/traces/partition.h"
#include "features/insight/traces/partitions.h"
#include "features/insight/traces/queue.h"
#include "features/insight/traces/search.h"
#include "platform/base/clock.h"
#include "platform/log/log.h"
#include "platform/store/sealed.h"

namespace causeway::traces {

class Archive {
 public:
  struct Parts {
    std::filesystem::path folder;
    store::Sealed& sealed;
    log::Log& log;
    const Clock& clock;
    int loops = 1;
    KeepSettings keep{};
    std::string program{};                      // version
    std::size_t queue = 256;                    // records of one loop that may wait
    std::chrono::milliseconds every{100};       // how long a record waits at most
    std::function<void(const Record&)> also{};  // gets each record as well, on the writer's thread
  };
  struct Counts {
    std::uint64_t recorded = 0, contents = 0;
    std::uint64_t dropped_queue = 0, dropped_disk = 0, dropped_contents = 0;
    std::uint64_t bytes = 0, damaged = 0;
  };

  explicit Archive(Parts parts);
  /// Writes what waits.
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // For loops; these never wait.

  /// Where the loop writes its next record; null: there is no room, which is counted.
  Record* begin(int loop) {
    Queue::Place* place = queues_[static_cast<std::size_t>(loop)]->begin_push();
    return place ? &place->record : nullptr;
  }
  /// The record that begin() gave is complete. Contents may be null.
  void end(int loop, std::unique_ptr<Contents> contents);

  // For other threads.

  /// Names of the stages, in the order of the pipeline; before the first record.
  void set_stages(std::vector<std::string> names) { run_.stages = std::move(names); }
  void set_keep(const KeepSettings& keep);
  /// KeepSettings::per_second of one loop; 0 = all. For loops, too.
  std::uint32_t per_second() const { return per_second_.load(std::memory_order_relaxed); }
  /// Waits until what was recorded before is on the disk; false when that took too long.
  bool flush(std::chrono::milliseconds most);
  /// Id of the newest trace on the disk.
  std::int64_t last_id() const { return last_id_.load(std::memory_order_relaxed); }
  struct Answer {
    Results results;
    bool complete = true;     // false: some could not be read
    std::int64_t newest = 0;  // last_id() when it began; where the oldest come first, their end
  };
  Answer search(Filter filter);
  /// What was said in a trace; as PartitionReader::contents().
  Result<Contents> contents(std::int64_t id);
  Counts counts() const;

 private:
  struct Waiting {
    Record record;
    std::unique_ptr<Contents> contents;
  };
  using Reader = std::pair<std::filesystem::path, std::unique_ptr<PartitionReader>>;

  void work();
  void write_waiting();
  std::size_t take(std::vector<Waiting>& batch);
  Result<void> write(std::vector<Waiting>& batch);
  Result<void> add(Waiting& one);
  Result<void> open_for(std::int64_t id);
  void fail_batch(const Error& error, std::size_t records);
  void maintain();
  std::string sealed(std::int64_t id, const Waiting& one);
  KeepSettings keep() const;
  Result<Reader> take_reader(const std::filesystem::path& path);
  void give_reader(Reader reader);
  void put_aside(const std::filesystem::path& path, const Error& error);

  Parts parts_;
  const Partitions partitions_;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::atomic<std::int64_t> contents_waiting_{0};  // bytes

  // The writer's own.
  std::unique_ptr<Partition> current_;
  std::int64_t current_first_ = 0;
  Run run_;
  Monotonic not_before_{};  // after a failure
  std::uint64_t unlooked_bytes_ = 0;
  std::vector<Waiting> batch_;

  std::atomic<std::uint32_t> per_second_{0};  // of each loop
  std::atomic<std::int64_t> last_id_{0};
  std::atomic<bool> abandon_{false};  // the current partition, since a reader found it damaged
  std::atomic<std::uint64_t> recorded_{0}, contents_{0}, dropped_disk_{0}, dropped_contents_{0},
      bytes_{0}, damaged_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_, written_;
  KeepSettings keep_;
  std::uint64_t asked_ = 0, done_ = 0;  // turns of the writer
  bool stopped_ = false;

  std::mutex readers_mutex_;
  std::vector<Reader> readers_;  // idle; bounded

  std::thread thread_;  // last: it uses the others
};

}  // namespace causeway::traces
