// The readers' side of the archive.
#include <algorithm>

#include "features/insight/traces/archive.h"

namespace causeway::traces {
namespace {

constexpr std::size_t kIdleReaders = 16;
constexpr auto kMostTime = std::chrono::seconds(5);  // of one search
constexpr auto kMostFlush = std::chrono::seconds(2);

}  // namespace

Result<Archive::Reader> Archive::take_reader(const std::filesystem::path& path) {
  {
    std::lock_guard lock(readers_mutex_);
    const auto found = std::ranges::find(readers_, path, &Reader::first);
    if (found != readers_.end()) {
      Reader reader = std::move(*found);
      readers_.erase(found);
      return reader;
    }
  }
  auto opened = PartitionReader::open(path);
  if (!opened) return pass(std::move(opened));
  return Reader(path, std::move(*opened));
}

void Archive::give_reader(Reader reader) {
  std::error_code failed;
  // An open file that was unlinked keeps its place on the disk.
  if (!std::filesystem::exists(reader.first, failed)) return;
  std::lock_guard lock(readers_mutex_);
  if (readers_.size() >= kIdleReaders) readers_.erase(readers_.begin());
  readers_.push_back(std::move(reader));
}

Archive::Answer Archive::search(Filter filter) {
  Answer answer;
  answer.complete = flush(kMostFlush);
  answer.newest = last_id();
  if (filter.oldest_first) filter.to = std::min(filter.to, answer.newest);
  Budget budget;
  budget.until = std::chrono::steady_clock::now() + kMostTime;
  auto files = partitions_.list();
  std::erase_if(files, &Partitions::File::damaged);
  std::int64_t next_first = std::int64_t{1} << 62;
  std::vector<std::filesystem::path> paths;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const bool inside = file->first <= filter.to && next_first > filter.from;
    next_first = file->first;
    if (inside) paths.push_back(file->path);
  }
  if (filter.oldest_first) std::ranges::reverse(paths);
  for (const auto& path : paths) {
    auto reader = take_reader(path);
    Result<void> done = reader
                            ? reader->second->search(filter, parts_.sealed, budget, answer.results)
                            : pass(std::move(reader));
    if (done) {
      give_reader(std::move(*reader));
    } else {
      std::error_code failed;
      // One that retention has taken meanwhile is not missed.
      if (!std::filesystem::exists(path, failed)) continue;
      answer.complete = false;
      if (done.error().code == "store_corrupt") {
        put_aside(path, done.error());
        abandon_ = true;
      }
    }
    if (answer.results.stopped_at != 0) break;
  }
  answer.complete = answer.complete && answer.results.unreadable == 0;
  return answer;
}

Result<Contents> Archive::contents(std::int64_t id) {
  const auto files = partitions_.list();
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (file->damaged || file->first > id) continue;
    auto reader = take_reader(file->path);
    if (!reader) return pass(std::move(reader));
    auto said = reader->second->contents(id, parts_.sealed);
    give_reader(std::move(*reader));
    return said;
  }
  return fail(ErrorKind::NotFound, Origin::Client, "Of this exchange no contents are kept.",
              "no_contents");
}

}  // namespace causeway::traces
