// The writer's side of the archive; what readers do is in archive_search.cpp.
#include "features/insight/traces/archive.h"

#include <sys/resource.h>

#include <algorithm>

#include "platform/base/worker.h"
#include "platform/store/folder.h"

namespace causeway::traces {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 1000;
constexpr int kNice = 5;
constexpr std::int64_t kMostContentsWaiting = 64 << 20;
constexpr auto kRestAfterFailure = 1s;
constexpr auto kMaintainEvery = 10s;
// A file's size is looked at when so much has been added, as far as is known.
constexpr std::uint64_t kLookEvery = 1 << 20;
constexpr std::uint64_t kBytesOfTrace = 600;

std::int64_t micros_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

Archive::Archive(Parts parts)
    : parts_(std::move(parts)), partitions_(parts_.folder), keep_(parts_.keep) {
  for (int i = 0; i < parts_.loops; ++i) queues_.push_back(std::make_unique<Queue>(parts_.queue));
  batch_.reserve(kBatch);
  set_keep(parts_.keep);
  run_.program = parts_.program;
  last_id_ = micros_of(parts_.clock.wall());
  thread_ = start_thread("traces", [this] { work(); });
}

Archive::~Archive() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Archive::end(int loop, std::unique_ptr<Contents> contents) {
  Queue& queue = *queues_[static_cast<std::size_t>(loop)];
  if (contents) {
    const auto bytes = static_cast<std::int64_t>(contents->bytes());
    if (contents_waiting_.load(std::memory_order_relaxed) + bytes > kMostContentsWaiting) {
      dropped_contents_.fetch_add(1, std::memory_order_relaxed);
      contents.reset();
    } else {
      contents_waiting_.fetch_add(bytes, std::memory_order_relaxed);
    }
  }
  queue.begin_push()->contents = std::move(contents);
  if (queue.end_push()) wake_.notify_one();
}

void Archive::set_keep(const KeepSettings& keep) {
  const auto loops = static_cast<std::uint32_t>(parts_.loops);
  per_second_ = keep.per_second == 0 ? 0 : std::max(keep.per_second / loops, 1u);
  std::lock_guard lock(mutex_);
  keep_ = keep;
}

KeepSettings Archive::keep() const {
  std::lock_guard lock(mutex_);
  return keep_;
}

bool Archive::flush(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  wake_.notify_one();
  return written_.wait_for(lock, most, [&] { return done_ >= mine; });
}

void Archive::work() {
  // Of this thread alone, as Linux has it: loops go first, and traces are dropped where there is no
  // time for them.
  static_cast<void>(setpriority(PRIO_PROCESS, 0, kNice));
  auto maintained = std::chrono::steady_clock::time_point();
  std::unique_lock lock(mutex_);
  while (true) {
    if (!stopped_ && asked_ == done_) wake_.wait_for(lock, parts_.every);
    const bool last = stopped_;
    const std::uint64_t asked = asked_;
    lock.unlock();
    write_waiting();
    const auto now = std::chrono::steady_clock::now();
    if (last || now - maintained >= kMaintainEvery || unlooked_bytes_ >= kLookEvery) {
      maintain();
      maintained = now;
    }
    lock.lock();
    done_ = asked;
    written_.notify_all();
    if (last) return;
  }
}

// What came while it wrote is for the next turn, but for full batches: it must come to an end.
void Archive::write_waiting() {
  std::size_t taken = kBatch;
  for (int turns = 0; taken == kBatch && turns < 16; ++turns) {
    taken = take(batch_);
    if (taken == 0) return;
    if (parts_.clock.now() < not_before_) {
      dropped_disk_ += taken;
    } else if (auto written = write(batch_); !written) {
      fail_batch(written.error(), taken);
    }
    // Until here their contents count as waiting: they are in memory.
    for (const Waiting& one : batch_) {
      if (!one.contents) continue;
      contents_waiting_.fetch_sub(static_cast<std::int64_t>(one.contents->bytes()),
                                  std::memory_order_relaxed);
    }
    batch_.clear();
  }
}

// In the order of their ends, as far as each loop's queue has them so.
std::size_t Archive::take(std::vector<Waiting>& batch) {
  while (batch.size() < kBatch) {
    Queue* earliest = nullptr;
    for (const auto& queue : queues_) {
      const Queue::Place* place = queue->front();
      const bool earlier =
          place && (!earliest || place->record.ended() < earliest->front()->record.ended());
      if (earlier) earliest = queue.get();
    }
    if (!earliest) break;
    Queue::Place& place = *earliest->front();
    if (parts_.also) parts_.also(place.record);
    batch.push_back({place.record, std::move(place.contents)});
    earliest->pop();
  }
  return batch.size();
}

Result<void> Archive::write(std::vector<Waiting>& batch) {
  if (abandon_.exchange(false)) current_.reset();
  std::uint64_t with_contents = 0;
  std::int64_t last = last_id();
  bool begun = false;
  const std::int64_t span = span_of(keep());
  for (Waiting& one : batch) {
    const std::int64_t id = std::max(one.record.ended(), last + 1);
    if (!current_ || id / span != current_first_ / span) {
      if (begun) {
        if (auto done = current_->commit(); !done) return done;
        begun = false;
      }
      if (auto opened = open_for(id); !opened) return opened;
    }
    last = std::max(id, last_id() + 1);
    if (!begun) {
      if (auto done = current_->begin(); !done) return done;
      begun = true;
    }
    const std::string words = sealed(last, one);
    with_contents += !words.empty();
    if (auto done = current_->add(last, one.record, run_, words); !done) return done;
    unlooked_bytes_ += kBytesOfTrace + words.size();
  }
  if (begun) {
    if (auto done = current_->commit(); !done) return done;
  }
  last_id_ = last;
  recorded_ += batch.size();
  contents_ += with_contents;
  parts_.log.state(log::Level::Info, "traces", "well", {});
  return {};
}

// The newest partition where it is the right one, or a new one that begins with this id.
Result<void> Archive::open_for(std::int64_t id) {
  current_.reset();
  if (auto made = store::make_private_folder(partitions_.folder()); !made) return made;
  const KeepSettings rules = keep();
  const std::int64_t span = span_of(rules);
  auto files = partitions_.list();
  std::erase_if(files, &Partitions::File::damaged);
  std::int64_t first = id;
  if (!files.empty()) {
    const auto& newest = files.back();
    const bool same = newest.first / span >= id / span;
    if (same && newest.bytes < most_bytes(rules)) {
      auto opened = Partition::open(newest.path);
      if (opened) {
        auto last = (*opened)->last_id();
        if (!last) return pass(std::move(last));
        last_id_ = std::max(last_id(), *last);
        current_ = std::move(*opened);
        current_first_ = newest.first;
        return {};
      }
      if (opened.error().code != "store_corrupt") return pass(std::move(opened));
      put_aside(newest.path, opened.error());
    }
    first = std::max(id, newest.first + 1);
  }
  auto opened = Partition::open(partitions_.path_of(first));
  if (!opened) return pass(std::move(opened));
  current_ = std::move(*opened);
  current_first_ = first;
  last_id_ = std::max(last_id(), first - 1);
  return {};
}

std::string Archive::sealed(std::int64_t id, const Waiting& one) {
  if (!one.contents) return {};
  const std::string record = std::to_string(id);
  auto words =
      parts_.sealed.seal({one.record.tenant.view(), kTable, record}, one.contents->encoded());
  if (words) return std::move(*words);
  ++dropped_contents_;
  return {};
}

void Archive::fail_batch(const Error& error, std::size_t records) {
  dropped_disk_ += records;
  not_before_ = parts_.clock.now() + kRestAfterFailure;
  if (current_) {
    current_->roll_back();
    const auto path = current_->path();
    current_.reset();
    if (error.code == "store_corrupt") put_aside(path, error);
  }
  parts_.log.state(log::Level::Error, "traces", "are dropped",
                   {{"reason", error.message}, {"detail", error.detail}});
}

void Archive::put_aside(const std::filesystem::path& path, const Error& error) {
  ++damaged_;
  partitions_.put_aside(path);
  parts_.log.error("a file of traces is damaged and was put aside; the others are as they were",
                   {{"file", path.string()}, {"detail", error.detail}});
}

void Archive::maintain() {
  unlooked_bytes_ = 0;
  const KeepSettings rules = keep();
  const std::int64_t now = std::max(micros_of(parts_.clock.wall()), last_id());
  const std::int64_t span = span_of(rules);
  std::uint64_t bytes = 0, current = 0;
  for (const auto& file : partitions_.list()) {
    bytes += file.bytes;
    if (current_ && file.path == current_->path()) current = file.bytes;
  }
  // Closed when its time is over, so that it can go like the others.
  if (current_ && (now / span != current_first_ / span || current >= most_bytes(rules))) {
    current_.reset();
  }
  const auto gone =
      partitions_.expire(now, rules, current_ ? current_->path() : std::filesystem::path());
  if (!gone.empty()) {
    std::lock_guard lock(readers_mutex_);
    std::erase_if(readers_,
                  [&](const Reader& reader) { return std::ranges::count(gone, reader.first) > 0; });
    bytes = 0;
    for (const auto& file : partitions_.list()) bytes += file.bytes;
  }
  bytes_ = bytes;
}

Archive::Counts Archive::counts() const {
  Counts counts;
  counts.recorded = recorded_;
  counts.contents = contents_;
  for (const auto& queue : queues_) counts.dropped_queue += queue->dropped();
  counts.dropped_disk = dropped_disk_;
  counts.dropped_contents = dropped_contents_;
  counts.bytes = bytes_;
  counts.damaged = damaged_;
  return counts;
}

}  // namespace causeway::traces
