#include "engine/vocabulary_files.h"

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include "engine/fetch.h"
#include "engine/manifest.h"
#include "platform/base/clock.h"
#include "platform/bpe/vocabulary.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetry = 10min;  // after a fetch that did not bring the file, or a file that is none

class VocabularyFiles final : public Vocabularies {
 public:
  VocabularyFiles(Places places, process::Spawner& spawner)
      : places_(std::move(places)), spawner_(spawner) {}

  std::shared_ptr<const bpe::Vocabulary> find(std::string_view name) override {
    std::lock_guard lock(mutex_);
    auto& entry = entries_[std::string(name)];
    if (entry.vocabulary) return entry.vocabulary;
    if (entry.fetch && !entry.ended->load()) return nullptr;
    entry.fetch.reset();
    const auto time = std::chrono::steady_clock::now();
    const bool first = entry.retry_at == Monotonic{};
    const auto file = data_file(places_.manifest(), name);
    if (!file) return nullptr;
    entry.vocabulary = read(*file, name);
    if (entry.vocabulary || (!first && time < entry.retry_at)) return entry.vocabulary;
    entry.retry_at = time + kRetry;
    if (can_fetch(*file, places_)) begin_fetch(entry, *file);
    return nullptr;
  }

 private:
  struct Entry {
    std::shared_ptr<const bpe::Vocabulary> vocabulary;
    std::unique_ptr<Fetch> fetch;
    std::shared_ptr<std::atomic<bool>> ended;
    Monotonic retry_at{};
  };

  std::shared_ptr<const bpe::Vocabulary> read(const ModelEntry& file, std::string_view name) const {
    std::ifstream in(model_path(file, places_), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in || !text) return nullptr;
    const auto cuts = name == "cl100k_base" ? bpe::Cuts::Cl100k : bpe::Cuts::O200k;
    auto made = bpe::Vocabulary::parse(text.view(), cuts);
    if (!made) return nullptr;
    return std::make_shared<const bpe::Vocabulary>(std::move(*made));
  }

  void begin_fetch(Entry& entry, const ModelEntry& file) {
    entry.ended = std::make_shared<std::atomic<bool>>(false);
    FetchCallbacks callbacks;
    callbacks.on_end = [ended = entry.ended](const Result<void>&) { ended->store(true); };
    entry.fetch = start_fetch(file, places_, spawner_, std::move(callbacks));
  }

  const Places places_;
  process::Spawner& spawner_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // of the few names that dialects know
};

}  // namespace

std::unique_ptr<Vocabularies> make_vocabularies(Places places, process::Spawner& spawner) {
  return std::make_unique<VocabularyFiles>(std::move(places), spawner);
}

}  // namespace causeway::engine
