// The vectors nearest to one, found in a graph (HNSW, hnswlib): for more than FlatIndex looks
// through in time. Not exact: a few in a hundred are not found. Not thread-safe.
#pragma once

#include <memory>

#include "platform/similar/flat_index.h"

namespace causeway::similar {

class GraphIndex {
 public:
  GraphIndex(std::size_t dimensions, std::size_t capacity);
  GraphIndex(GraphIndex&&) noexcept;
  GraphIndex& operator=(GraphIndex&&) noexcept;
  ~GraphIndex();

  /// As FlatIndex; about a millisecond, growing with what is there.
  bool add(std::uint64_t id, std::uint64_t scope, std::span<const float> vector);
  bool remove(std::uint64_t id);
  /// As FlatIndex. Looks at the 64 nearest of all scopes: one that holds little beside large ones
  /// finds less.
  std::vector<Found> find(std::span<const float> vector, std::uint64_t scope, float threshold,
                          std::size_t most) const;
  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace causeway::similar
