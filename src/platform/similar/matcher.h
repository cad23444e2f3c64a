// Finds the kept question that means the same: near in meaning, and with nothing that the gate has
// against it. Knows ids only; the answers, their age and whose they are belong to the caller. Not
// thread-safe.
#pragma once

#include <optional>
#include <variant>

#include "platform/similar/flat_index.h"
#include "platform/similar/gate.h"
#include "platform/similar/graph_index.h"

namespace causeway::similar {

/// Up to so many vectors are looked at one by one.
constexpr std::size_t kMostFlat = 50'000;
/// For all-MiniLM-L6-v2: the 0.78 that scripts/bench semantic picks, and as much more as lines that
/// were written after the gate want. Other models need their own.
constexpr float kUsualThreshold = 0.85F;

class Matcher {
 public:
  /// `capacity` decides for good whether vectors are looked at one by one (up to kMostFlat) or in a
  /// graph.
  Matcher(std::size_t dimensions, std::size_t capacity);

  /// False when full, when the vector does not fit, or when the question cannot be read. An id that
  /// is there is replaced. `scope`: entries of different scopes never meet (a hash of tenant,
  /// model, system prompt, …).
  bool add(std::uint64_t id, std::uint64_t scope, Question question, std::span<const float> vector);
  bool remove(std::uint64_t id);
  /// The nearest of those that the gate lets pass; of the 8 nearest at or above the threshold.
  std::optional<Found> find(const Question& question, std::uint64_t scope,
                            std::span<const float> vector, float threshold) const;
  std::size_t size() const { return questions_.size(); }

 private:
  std::variant<FlatIndex, GraphIndex> index_;
  std::unordered_map<std::uint64_t, Question> questions_;
};

}  // namespace causeway::similar
