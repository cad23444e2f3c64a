// Finds again what was found once: a name that a title gave away in one message stands without the
// title in the next.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "features/privacy/pii/detector.h"

namespace causeway::pii {

class Repeats {
 public:
  /// A value to be looked for from now on, of a person also the surname; only of kinds that need
  /// words nearby to be seen.
  void add(std::string_view value, const Finding& as);
  bool empty() const { return values_.empty(); }
  void clear();

  /// Adds whole words that are one of the values to the findings of a text, where none is yet. Both
  /// are in order and do not overlap.
  void find(std::string_view text, std::vector<Finding>& findings) const;

 private:
  struct Value {
    std::string_view text;  // of the request, or of a conversation; outlives this
    Finding as;
    std::uint32_t next;  // of the same first byte: its place in values_ and 1; 0 = no more
  };
  void add_one(std::string_view value, const Finding& as);
  std::size_t next_first(std::string_view text, std::size_t at) const;
  const Value* at(std::string_view text) const;

  std::vector<Value> values_;
  std::array<std::uint32_t, 256> first_{};  // by first byte, as Value::next
  std::string firsts_;                      // all first bytes
};

}  // namespace causeway::pii
