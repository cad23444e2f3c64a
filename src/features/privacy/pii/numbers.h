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

/// All rules that words near the run may speak for.
RuleSet rules_near(const Scene& scene, const Run& run);

class NumberFinder {
 public:
  /// Rule number i of the book is rules[i] for these. What is worth less than `least` by itself is
  /// looked for only where a word may speak for it.
  explicit NumberFinder(std::span<const NumberRule> rules, float least = 0);
  /// Numbers that begin with one of the first `firsts` groups. `near`: rules_near() of the run.
  void find(const Scene& scene, const Run& run, const RuleSet& near,
            std::size_t firsts = static_cast<std::size_t>(-1)) const;

 private:
  struct Entry {
    std::uint64_t digits, letters, parts, narrow;  // as in Form
    std::uint32_t places;                          // where its places begin in places_
    std::uint16_t rule;
    bool any_parts;
  };
  struct Window;
  bool fits(const Entry& form, const Window& window) const;
  std::uint64_t sizes_near(const RuleSet& near) const;
  void look(const Scene& scene, const RuleSet& near, Window& window) const;
  void judge(const Scene& scene, const RuleSet& near, const Window& window,
             std::uint32_t rule) const;

  /// Forms of one length that windows without and with letters may have: of rules that are worth
  /// something alone, and of those that are not.
  struct OfLength {
    std::array<std::vector<Entry>, 2> alone, spoken_for;
  };
  std::vector<NumberRule> rules_;
  std::vector<std::uint64_t> sizes_;  // of a rule's forms that must be spoken for: bit n
  RuleSet spoken_for_;                // rules with such forms
  std::vector<std::uint64_t> places_;
  std::array<OfLength, kMaxNumber + 1> by_length_;
};

}  // namespace causeway::pii
