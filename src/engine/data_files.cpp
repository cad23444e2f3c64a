#include "engine/data_files.h"

#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/fetch.h"
#include "engine/manifest.h"
#include "platform/base/clock.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetry = 10min;  // after a fetch that did not bring the file

std::unexpected<Error> not_here(std::string_view name) {
  return fail(ErrorKind::Unavailable, Origin::Us,
              "The file " + std::string(name) +
                  " is not there. `scripts/deps --only model --model " + std::string(name) +
                  "` fetches it.",
              "data_missing");
}

std::unexpected<Error> being_fetched(std::string_view name) {
  return fail(ErrorKind::Unavailable, Origin::Us,
              "The file " + std::string(name) + " is being fetched.", "data_missing");
}

class FetchedFiles final : public DataFiles {
 public:
  FetchedFiles(Places places, process::Spawner& spawner)
      : places_(std::move(places)), spawner_(spawner) {}

  Result<std::string> find(std::string_view name) override {
    auto found = find_data(name, places_);
    if (found) return found;
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[std::string(name)];
    if (entry.fetch && !entry.ended->load()) return being_fetched(name);
    entry.fetch.reset();
    const auto time = std::chrono::steady_clock::now();
    if (entry.retry_at != Monotonic{} && time < entry.retry_at) return found;
    entry.retry_at = time + kRetry;
    const auto file = data_file(places_.manifest(), name);
    if (!file || !can_fetch(*file, places_)) return found;
    begin_fetch(entry, *file);
    return being_fetched(name);
  }

 private:
  struct Entry {
    std::unique_ptr<Fetch> fetch;
    std::shared_ptr<std::atomic<bool>> ended;
    Monotonic retry_at{};
  };

  void begin_fetch(Entry& entry, const ModelEntry& file) {
    entry.ended = std::make_shared<std::atomic<bool>>(false);
    FetchCallbacks callbacks;
    callbacks.on_end = [ended = entry.ended](const Result<void>&) { ended->store(true); };
    entry.fetch = start_fetch(file, places_, spawner_, std::move(callbacks));
  }

  const Places places_;
  process::Spawner& spawner_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // of the few names that the program knows
};

}  // namespace

std::unique_ptr<DataFiles> make_data_files(Places places, process::Spawner& spawner) {
  return std::make_unique<FetchedFiles>(std::move(places), spawner);
}

Result<std::string> find_data(std::string_view name, const Places& places) {
  const auto file = data_file(places.manifest(), name);
  if (!file) return std::unexpected(file.error());
  std::string path = model_path(*file, places);
  if (access(path.c_str(), R_OK) != 0) return not_here(name);
  return path;
}

}  // namespace causeway::engine
