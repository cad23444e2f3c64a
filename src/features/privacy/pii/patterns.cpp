#include "features/privacy/pii/patterns.h"

#include <re2/re2.h>

#include <algorithm>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMaxSecret = 16384;  // no key is longer
constexpr std::size_t kFirstBytes = 8;     // of a key, none of which is a blank

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

/// Matches right at `begin`; what was found is checked and handed over.
bool confirm(const Book& book, const Scene& scene, std::uint32_t number, std::size_t begin) {
  const PatternRule& rule = book.patterns()[number - book.first_pattern()];
  const re2::RE2& pattern = book.pattern(number);
  re2::StringPiece parts[2];
  const int wanted = pattern.NumberOfCapturingGroups() > 0 ? 2 : 1;
  const re2::StringPiece input = piece(scene.text);
  // Bounded, so that many beginnings without an end cost no more than their number.
  const std::size_t reach = std::min(input.size(), begin + kMaxSecret);
  if (!pattern.Match(input, begin, reach, re2::RE2::ANCHOR_START, parts, wanted)) return false;
  const re2::StringPiece& found = parts[wanted - 1].data() ? parts[wanted - 1] : parts[0];
  if (found.empty()) return false;
  if (rule.check && !rule.check({found.data(), found.size()})) return false;
  const auto from = static_cast<std::size_t>(found.data() - scene.text.data());
  const bool near = scene.distance(number, from, from + found.size()) >= 0;
  scene.add(from, from + found.size(), number, near ? rule.worth.with : rule.worth.alone);
  return true;
}

/// Cheap, and true wherever the pattern may match: keys have no blank in their first bytes.
bool may_be_key(const PatternRule& rule, std::string_view text, std::size_t begin) {
  if (rule.fold_case || rule.kind != Kind::ApiKey || rule.anchors.contains(' ')) return true;
  if (text.size() - begin < kFirstBytes) return false;
  for (std::size_t i = 0; i < kFirstBytes; ++i) {
    if (text[begin + i] == ' ' || text[begin + i] == '\n') return false;
  }
  return true;
}

// Numbers in any order with a year, months by name in six languages.
constexpr const char* kDate =
    "(?i)(\\b(?:\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/. ]{1,2}\\d{1,2}[-/. "
    "]{1,2}(?:\\d{4}|\\d{2})|"
    "\\d{1,2}(?:st|nd|rd|th|\\.|er|o|\\*)?,?(?: of| de| di)? "
    "?-?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|"
    "januar|februar|marz|maerz|mai|juni|juli|okt|dez|janv|fevr|avr|avril|juin|juil|juillet|aout|"
    "decembre|enero|febrero|marzo|"
    "abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gen|gennaio|febbraio|"
    "aprile|maggio|giugno|"
    "luglio|settembre|ottobre|dicembre|maart|mei|augustus)[a-z]*\\.?,?(?: de| del)? "
    "?-?(?:\\d{4}|\\d{2})|"
    "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.? \\d{1,2}(?:st|nd|rd|th)?,? "
    "\\d{4}|(?:19|20)\\d{6}))\\b";

const RE2& date_pattern() {
  static const RE2 pattern(kDate);
  return pattern;
}

constexpr std::size_t kDateAfter = 45, kDateBefore = 30;

// Of somebody's life rather than of a release or a log: whoever was born then writes by now.
bool is_long_ago(std::string_view date) {
  constexpr std::string_view kFirst = "1900", kLast = "2011";
  for (std::size_t i = 0; i + kFirst.size() <= date.size(); ++i) {
    const std::string_view year = date.substr(i, kFirst.size());
    if (std::ranges::all_of(year, is_digit)) return year >= kFirst && year <= kLast;
  }
  return false;
}

// "…has been so since 4 May 1975": who it is about and when it began are told apart by few.
void find_date_since(const Scene& scene, const WordHit& hit, std::uint32_t rule) {
  const std::string_view text = scene.text;
  re2::StringPiece date;
  const std::size_t begin = hit.end + 1, after = std::min(text.size(), hit.end + kDateAfter);
  if (begin >= after) return;
  if (!date_pattern().Match(piece(text), begin, after, RE2::ANCHOR_START, &date, 1)) return;
  if (is_long_ago({date.data(), date.size()})) {
    scene.add(begin, begin + date.size(), rule, 0.6F);
  }
}

}  // namespace

void find_patterns(const Book& book, const Scene& scene) {
  for (const AnchorHit& hit : scene.hits.anchors) {
    const PatternRule& rule = book.patterns()[hit.rule - book.first_pattern()];
    if (may_be_key(rule, scene.text, hit.begin)) confirm(book, scene, hit.rule, hit.begin);
  }
}

void find_patterns_slowly(const Book& book, const Scene& scene) {
  for (std::uint32_t i = 0; i < book.patterns().size(); ++i) {
    const std::uint32_t number = book.first_pattern() + i;
    const re2::StringPiece input = piece(scene.text);
    for (std::size_t at = 0; at < input.size(); ++at) {
      if (is_alnum(scene.text[at]) && is_alnum(before(scene.text, at))) continue;
      confirm(book, scene, number, at);
    }
  }
}

void find_birth_dates(const Scene& scene, std::uint32_t rule, std::uint32_t since) {
  const std::string_view text = scene.text;
  for (const WordHit& hit : scene.with_words().words) {
    if (scene.words.rules_of(hit)[since]) find_date_since(scene, hit, since);
    if (!scene.words.rules_of(hit)[rule]) continue;
    re2::StringPiece date;
    const std::size_t after = std::min<std::size_t>(text.size(), hit.end + kDateAfter);
    const std::size_t from = hit.begin > kDateBefore ? hit.begin - kDateBefore : 0;
    // The date behind the word counts more than the one before it, which may be another one's.
    if (date_pattern().Match(piece(text), hit.end, after, RE2::UNANCHORED, &date, 1)) {
      const auto begin = static_cast<std::size_t>(date.data() - text.data());
      scene.add(begin, begin + date.size(), rule, 0.95F);
    } else if (date_pattern().Match(piece(text), from, hit.begin, RE2::UNANCHORED, &date, 1)) {
      const auto begin = static_cast<std::size_t>(date.data() - text.data());
      scene.add(begin, begin + date.size(), rule, 0.75F);
    }
  }
}

}  // namespace causeway::pii
