#include "engine/vocabulary_files.h"

#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include "platform/bpe/vocabulary.h"

namespace causeway::engine {
namespace {

class VocabularyFiles final : public Vocabularies {
 public:
  explicit VocabularyFiles(DataFiles& files) : files_(files) {}

  std::shared_ptr<const bpe::Vocabulary> find(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    auto& vocabulary = vocabularies_[std::string(name)];
    if (vocabulary) return vocabulary;
    if (const auto path = files_.find(name)) vocabulary = read(*path, name);
    return vocabulary;
  }

 private:
  static std::shared_ptr<const bpe::Vocabulary> read(const std::string& path,
                                                     std::string_view name) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in || !text) return nullptr;
    const auto cuts = name == "cl100k_base" ? bpe::Cuts::Cl100k : bpe::Cuts::O200k;
    auto made = bpe::Vocabulary::parse(text.view(), cuts);
    if (!made) return nullptr;
    return std::make_shared<const bpe::Vocabulary>(std::move(*made));
  }

  DataFiles& files_;
  std::mutex mutex_;
  // Of the few names that dialects know.
  std::map<std::string, std::shared_ptr<const bpe::Vocabulary>> vocabularies_;
};

}  // namespace

std::unique_ptr<Vocabularies> make_vocabularies(DataFiles& files) {
  return std::make_unique<VocabularyFiles>(files);
}

}  // namespace causeway::engine
