// What a rule is. There are two tables: numbers with a shape and check digits, which people write
// with spaces and dashes in them, and patterns, which begin with or hold a literal that is rare.
// Rules that need more than a line (phones, names, addresses, dates) stand in rules_other.cpp by
// name and have code of their own.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "features/privacy/pii/checks.h"
#include "features/privacy/pii/kind.h"

namespace causeway::pii {

/// How much a finding is worth: by itself, and with one of the rule's words nearby.
struct Worth {
  float alone = 0, with = 0;
};

struct NumberRule {
  std::string_view id;  // "de.steuer_id"
  Kind kind;
  /// One letter a class, with a count in braces: d digit, L letter, X either, [..] one of these,
  /// capital letters and digits themselves; "-" where it is usually parted; "|" between forms.
  /// "d{3}-d{2}-d{4}"
  std::string_view shape;
  Check check = nullptr;
  Worth worth;
  std::string_view words;  // "ssn|social security"; "@name" = a group of words
  std::string_view source;
  bool any_parts = false;  // so sure that it may be parted anywhere, with text around it
};

struct PatternRule {
  std::string_view id;
  Kind kind;
  /// One of these stands where the pattern begins: "ghp_|gho_". In any case where fold_case is set.
  std::string_view anchors;
  std::string_view pattern;  // RE2; its first group is what is found, or all of it
  Check check = nullptr;     // of what is found, as written
  Worth worth;
  std::string_view words;
  std::string_view source;
  bool fold_case = false;
};

/// A rule with code of its own, for the documents and for its words.
struct OtherRule {
  std::string_view id;
  Kind kind;
  std::string_view how;  // what it looks for, for people
  std::string_view words;
  std::string_view source;
};

std::vector<NumberRule> number_rules();
std::vector<PatternRule> pattern_rules();
std::span<const OtherRule> other_rules();

/// Words that many rules share: "name" of "@name" and the words.
struct WordGroup {
  std::string_view name, words;
};
std::span<const WordGroup> word_groups();

// The tables by subject, which the functions above put together.
std::span<const NumberRule> financial_numbers();
std::span<const NumberRule> european_numbers();
std::span<const NumberRule> world_numbers();
std::span<const NumberRule> document_numbers();
std::span<const NumberRule> health_numbers();
std::span<const PatternRule> secret_patterns();
std::span<const PatternRule> service_patterns();
std::span<const PatternRule> coin_patterns();
std::span<const PatternRule> labelled_patterns();

}  // namespace causeway::pii
