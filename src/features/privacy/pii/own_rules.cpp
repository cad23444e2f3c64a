#include "features/privacy/pii/own_rules.h"

#include <re2/re2.h>

#include <map>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/plain_text.h"

namespace causeway::pii {
namespace {

constexpr std::int64_t kMemory = 8 << 20;         // of one pattern, in all its automata
constexpr std::int64_t kWordsMemory = 256 << 20;  // of all words together
constexpr std::size_t kWordsTogether = 500;

std::unexpected<Error> refuse(const std::string& name, const std::string& why) {
  return fail(ErrorKind::InvalidRequest, Origin::Client, "own rule \"" + name + "\": " + why,
              "pii_own_rule");
}

bool good_name(std::string_view name) {
  for (const char c : name) {
    if (!is_alnum(c) && c != '_' && c != '-') return false;
  }
  return !name.empty() && name.size() <= 64;
}

std::unique_ptr<re2::RE2> compiled(const std::string& text, std::int64_t memory, bool fold_case) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_max_mem(memory);
  options.set_case_sensitive(!fold_case);
  return std::make_unique<re2::RE2>(text, options);
}

// Words of a word may stand on two lines.
std::string with_any_space(const std::string& quoted) {
  std::string pattern;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (!std::string_view(quoted).substr(i).starts_with("\\ ")) {
      pattern += quoted[i];
      continue;
    }
    ++i;
    if (!pattern.ends_with("\\s+")) pattern += "\\s+";
  }
  return pattern;
}

/// A word as the scanner sees texts, with boundaries where it begins and ends with a word's
/// character.
std::string word_pattern(std::string_view word) {
  PlainText plain;
  plain.read(word);
  const std::string_view text = plain.text();
  if (text.empty()) return {};
  std::string pattern = is_alnum(text.front()) ? "\\b(" : "(";
  pattern += with_any_space(re2::RE2::QuoteMeta(re2::StringPiece(text.data(), text.size())));
  return pattern + (is_alnum(text.back()) ? ")\\b" : ")");
}

}  // namespace

OwnRules::OwnRules() = default;
OwnRules::OwnRules(OwnRules&&) noexcept = default;
OwnRules::~OwnRules() = default;

Result<OwnRules> OwnRules::make(const DetectorOptions& options) {
  OwnRules rules;
  if (options.words.size() > kMaxOwnWords) {
    return refuse(options.words[kMaxOwnWords].name,
                  "more than " + std::to_string(kMaxOwnWords) + " words");
  }
  if (options.patterns.size() > kMaxOwnPatterns) {
    return refuse(options.patterns[kMaxOwnPatterns].name,
                  "more than " + std::to_string(kMaxOwnPatterns) + " patterns");
  }
  for (const OwnRule& rule : options.words) {
    if (!good_name(rule.name))
      return refuse(rule.name, "a name is 1 to 64 letters, digits, \"_\" and \"-\"");
    if (rule.text.empty()) return refuse(rule.name, "the word is empty");
    if (rule.text.size() > kMaxOwnWordBytes)
      return refuse(rule.name, "longer than " + std::to_string(kMaxOwnWordBytes) + " bytes");
  }
  if (auto added = rules.add_words(options.words); !added) return pass(std::move(added));
  for (const OwnRule& rule : options.patterns) {
    if (auto added = rules.add_pattern(rule); !added) return pass(std::move(added));
  }
  return rules;
}

Result<void> OwnRules::add_words(const std::vector<OwnRule>& words) {
  for (std::size_t first = 0; first < words.size(); first += kWordsTogether) {
    const std::size_t last = std::min(words.size(), first + kWordsTogether);
    std::string together;
    const std::size_t number = names_.size();
    for (std::size_t i = first; i < last; ++i) {
      const std::string one = word_pattern(words[i].text);
      if (one.empty()) return refuse(words[i].name, "nothing of the word can be seen");
      if (!together.empty()) together += '|';
      together += one;
      names_.push_back("own." + words[i].name);
    }
    auto pattern = compiled(together, kWordsMemory, true);
    if (!pattern->ok()) return refuse(words[first].name, pattern->error());
    patterns_.push_back({std::move(pattern), number, true});
  }
  return {};
}

Result<void> OwnRules::add_pattern(const OwnRule& rule) {
  if (!good_name(rule.name))
    return refuse(rule.name, "a name is 1 to 64 letters, digits, \"_\" and \"-\"");
  if (rule.text.size() > kMaxOwnPatternBytes)
    return refuse(rule.name, "longer than " + std::to_string(kMaxOwnPatternBytes) + " bytes");
  auto pattern = compiled(rule.text, kMemory, false);
  if (!pattern->ok()) return refuse(rule.name, "RE2 says: " + pattern->error());
  if (pattern->Match("", 0, 0, re2::RE2::ANCHOR_BOTH, nullptr, 0)) {
    return refuse(rule.name, "it matches the empty text, so it would match everywhere");
  }
  patterns_.push_back({std::move(pattern), names_.size(), false});
  names_.push_back("own." + rule.name);
  return {};
}

void OwnRules::find(std::string_view plain, std::vector<Found>& found) const {
  found.clear();
  const re2::StringPiece input(plain.data(), plain.size());
  std::vector<re2::StringPiece> groups(kWordsTogether + 1);
  for (const Pattern& own : patterns_) {
    const int wanted = own.words ? own.pattern->NumberOfCapturingGroups() + 1 : 1;
    std::size_t at = 0;
    while (at < input.size() && own.pattern->Match(input, at, input.size(), re2::RE2::UNANCHORED,
                                                   groups.data(), wanted)) {
      const auto begin = static_cast<std::size_t>(groups[0].data() - input.data());
      const std::size_t end = begin + groups[0].size();
      std::size_t rule = own.first_rule;
      for (int i = 1; own.words && i < wanted; ++i) {
        if (groups[static_cast<std::size_t>(i)].data())
          rule = own.first_rule + static_cast<std::size_t>(i) - 1;
      }
      if (end > begin) found.push_back({begin, end, rule});
      at = std::max(end, begin + 1);
    }
  }
}

}  // namespace causeway::pii
