// A tenant's own words and patterns, compiled once with limits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "features/privacy/pii/detector.h"

namespace re2 {
class RE2;
}

namespace causeway::pii {

class OwnRules {
 public:
  OwnRules();
  OwnRules(OwnRules&&) noexcept;
  ~OwnRules();

  /// Errors: InvalidRequest; which rule, and what is wrong with it.
  static Result<OwnRules> make(const DetectorOptions& options);

  struct Found {
    std::size_t begin, end;
    std::size_t rule;
  };
  void find(std::string_view plain, std::vector<Found>& found) const;
  std::string_view name_of(std::size_t rule) const { return names_[rule]; }
  bool empty() const { return names_.empty(); }

 private:
  struct Pattern {
    std::unique_ptr<re2::RE2> pattern;
    std::size_t first_rule;  // its number, or of the first word: group i + 1 is word i
    bool words;
  };
  Result<void> add_words(const std::vector<OwnRule>& words);
  Result<void> add_pattern(const OwnRule& rule);
  std::vector<std::string> names_;
  std::vector<Pattern> patterns_;
};

}  // namespace causeway::pii
