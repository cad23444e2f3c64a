// The vectors nearest to one, found by looking at all of them: exact, and up to 50,000 vectors as
// quick as a graph. Rows of bytes are scanned (AVX2 where the processor has it), what could be near
// enough is compared in floats. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace causeway::similar {

struct Found {
  std::uint64_t id;
  float similarity;  ///< cosine, -1 to 1
};

class FlatIndex {
 public:
  /// 5 bytes a number and about 60 an entry, taken as entries come.
  FlatIndex(std::size_t dimensions, std::size_t capacity);

  /// False when full, or the vector is of another length, all zero or not finite. An id that is
  /// there is replaced. `scope` keeps apart what may never meet (tenants, models): find() looks
  /// only at its own.
  bool add(std::uint64_t id, std::uint64_t scope, std::span<const float> vector);
  bool remove(std::uint64_t id);
  /// At most `most` with a cosine of at least `threshold`, nearest first.
  std::vector<Found> find(std::span<const float> vector, std::uint64_t scope, float threshold,
                          std::size_t most) const;

  std::size_t size() const { return ids_.size(); }
  /// For tests and measures: without AVX2.
  void use_plain() { avx2_ = false; }

 private:
  struct Row {
    std::uint64_t scope;
    float scale;  ///< number = byte × scale
    float error;  ///< length of what the bytes leave out
  };

  Row fill(std::span<const float> unit, std::int8_t* bytes) const;

  std::size_t dimensions_, padded_, capacity_;
  bool avx2_;
  std::vector<std::uint64_t> ids_;  ///< by row
  std::vector<Row> rows_;
  std::vector<std::int8_t> bytes_;
  std::vector<float> floats_;  ///< of length 1
  std::unordered_map<std::uint64_t, std::size_t> row_of_;
};

/// The same direction with length 1; empty where there is none (zero, not finite).
std::vector<float> unit_of(std::span<const float> vector);

}  // namespace causeway::similar
