// All rules with their numbers: first the numbers', then the patterns', then those with code of
// their own. Made once; immutable.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "features/privacy/pii/rule.h"
#include "features/privacy/pii/words.h"

namespace re2 {
class RE2;
}

namespace causeway::pii {

class Book {
 public:
  /// Made when first asked for; some tens of milliseconds.
  static const Book& get();
  ~Book();

  struct Entry {
    std::string_view id;
    Kind kind;
  };
  const Entry& entry(std::uint32_t rule) const { return entries_[rule]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  /// Ends the program where there is no such rule: ids are ours.
  std::uint32_t number_of(std::string_view id) const;

  const Words& words() const { return words_; }
  const std::vector<NumberRule>& numbers() const { return numbers_; }
  const std::vector<PatternRule>& patterns() const { return patterns_; }
  std::uint32_t first_pattern() const { return static_cast<std::uint32_t>(numbers_.size()); }
  const re2::RE2& pattern(std::uint32_t rule) const { return *compiled_[rule - first_pattern()]; }
  /// Whose words speak against addresses of networks.
  std::uint32_t version_words() const { return size(); }
  /// Whose words say that right behind them a name follows.
  std::uint32_t introductions() const { return size() + 1; }

 private:
  Book();
  std::vector<NumberRule> numbers_;
  std::vector<PatternRule> patterns_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<re2::RE2>> compiled_;
  Words words_;
};

}  // namespace causeway::pii
