// Answers by meaning: questions that were asked in other words. Which of the kept answers belongs
// to a question that means the same, within all else that bears on the answer. Similarity alone
// answers the opposite question, so the gate of platform/similar has a word as well. Bounded; safe
// from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/exchange.h"
#include "features/traffic/cache/key.h"
#include "platform/similar/matcher.h"

namespace causeway::cache {

/// The question that a request ends with, as its target gets it: the last message, of the user, one
/// text of at most similar::kMostBytes; empty where there is none, or where an answer in plain
/// words is not what is asked for (tools, schemas, pictures, several choices). `context`: the key
/// of all else, so that only questions asked under the same circumstances meet.
std::string question_of(Exchange& exchange, const Attempt& attempt, const CacheSettings& settings,
                        Key& context);

class Meanings {
 public:
  /// Of all embedding models together; above, the first that came goes.
  explicit Meanings(std::size_t most) : most_(most) {}

  struct Asked {
    std::string model;  // of embeddings
    Key context{};
    similar::Question question;
    std::vector<float> vector;  // unit length
  };
  /// The key of the kept answer. Looks at up to 50,000 vectors: some milliseconds, not on a loop.
  std::optional<Key> find(const Asked& asked, float threshold) const;
  void add(Asked asked, const Key& key);
  /// The answer is not there any more.
  void forget(const Key& key);
  void clear();
  std::size_t size() const;

 private:
  struct Entry {
    std::string model;
    Key key{}, context{};
  };
  void drop_first();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::map<std::string, std::unique_ptr<similar::Matcher>, std::less<>> matchers_;  // by model
  std::map<std::uint64_t, Entry> entries_;  // by number, the first that came first
  std::unordered_map<Key, std::uint64_t, KeyHash> numbers_;
};

/// The vector of an answer to /v1/embeddings with one input, made unit length; empty where it is
/// none.
std::vector<float> read_vector(std::string_view body);

}  // namespace causeway::cache
