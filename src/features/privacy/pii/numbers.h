// Finds numbers by shape, check digits and the words nearby, however they are parted: a run of
// groups of digits and short capitals is looked at as every sequence of its groups.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "features/privacy/pii/candidate.h"
#include "features/privacy/pii/rule.h"
#include "features/privacy/pii/shape.h"

namespace causeway::pii {

/// A maximal sequence of letters and digits.
struct Group {
  std::uint32_t begin, end;
};

/// Groups with at most three spaces, dashes, dots, … between them.
using Run = std::vector<Group>;

/// Reads the run that begins with the group at `begin`.
void read_run(std::string_view text, std::size_t begin, Run& run);

class NumberFinder {
 public:
  /// Rule number i of the book is rules[i] for these.
  explicit NumberFinder(std::span<const NumberRule> rules);
  void find(const Scene& scene, const Run& run) const;

 private:
  struct Entry {
    Form form;
    std::uint32_t rule;
  };
  struct Window;
  void look(const Scene& scene, Window& window) const;
  void judge(const Scene& scene, const Window& window, std::uint32_t rule) const;

  std::vector<NumberRule> rules_;
  std::array<std::vector<Entry>, kMaxNumber + 1> by_length_;
};

}  // namespace causeway::pii
