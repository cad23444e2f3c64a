#include <algorithm>
#include <array>

#include "platform/similar/gate.h"
#include "platform/similar/words.h"

namespace causeway::similar {

namespace {

using Words = std::vector<std::string>;

Words only_in(const Words& a, const Words& b) {
  Words left;
  std::ranges::set_difference(a, b, std::back_inserter(left));
  return left;
}

/// Each has something that the other has not.
bool both_differ(const Words& a, const Words& b) {
  return !only_in(a, b).empty() && !only_in(b, a).empty();
}

bool contains(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

/// un-, dis-, de-, in-…: the prefixes that turn a word round.
bool turned_by_prefix(const std::string& longer, const std::string& shorter) {
  static constexpr std::array<std::string_view, 13> kPrefixes = {
      "un", "dis", "de", "in", "im", "ir", "il", "non", "a", "mis", "ver", "ent", "d\u00e9s"};
  return shorter.size() > 2 && std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
           return longer.size() == prefix.size() + shorter.size() && longer.starts_with(prefix) &&
                  longer.ends_with(shorter);
         });
}

bool opposite(const Question& a, const Question& b) {
  for (const auto& [group, side] : a.groups) {
    for (const auto& [other, other_side] : b.groups) {
      if (group != other || side == other_side) continue;
      const bool both = std::ranges::binary_search(a.groups, Question::Group{group, other_side}) ||
                        std::ranges::binary_search(b.groups, Question::Group{group, side});
      if (!both) return true;
    }
  }
  for (const auto& one : a.content) {
    for (const auto& two : b.content) {
      if (turned_by_prefix(one, two) && !contains(a.content, two)) return true;
      if (turned_by_prefix(two, one) && !contains(b.content, one)) return true;
    }
  }
  return false;
}

/// What both have stands in another order.
bool swapped(const Words& a, const Words& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      if (a[i] == a[j]) continue;
      const auto first = std::ranges::find(b, a[i]);
      const auto second = std::ranges::find(b, a[j]);
      if (first != b.end() && second != b.end() && second < first) return true;
    }
  }
  return false;
}

Words content_in_order(const Question& question) {
  Words ordered;
  for (const auto& word : question.words) {
    if (std::ranges::binary_search(question.content, word)) ordered.push_back(word);
  }
  return ordered;
}

/// "x sues y" and "y sues x": two change places around one that stays.
bool turned_round(const Question& a, const Question& b) {
  const Words one = content_in_order(a), two = content_in_order(b);
  const auto place = [&](const std::string& word) {
    return std::ranges::find(two, word) - two.begin();
  };
  for (std::size_t i = 0; i + 2 < one.size(); ++i) {
    const auto first = place(one[i]), middle = place(one[i + 1]), last = place(one[i + 2]);
    if (last < middle && middle < first) return true;
  }
  return false;
}

bool directed(const Question& a, const Question& b) {
  if (a.words == b.words) return false;
  const auto crosses = [](const Words& one, const Words& two, const Words& not_in) {
    return std::ranges::any_of(one, [&](const std::string& word) {
      return contains(two, word) && !contains(not_in, word);
    });
  };
  if (crosses(a.from, b.to, b.from) || crosses(a.to, b.from, b.to)) return true;
  const bool told = !a.from.empty() && !a.to.empty() && !b.from.empty() && !b.to.empty();
  if (told) return false;
  if (crosses(a.than, b.content, b.than) && crosses(b.than, a.content, a.than)) return true;
  if (swapped(a.entities, b.entities) || swapped(b.entities, a.entities)) return true;
  if (a.content == b.content && (turned_round(a, b) || turned_round(b, a))) return true;
  Words one = a.words, two = b.words;
  std::ranges::sort(one);
  std::ranges::sort(two);
  return one == two;
}

bool has_entities_of(const Question& a, const Question& b) {
  return std::ranges::all_of(a.entities, [&](const std::string& name) {
    return contains(b.words, name) || contains(b.words, name + "'");
  });
}

bool kinds_differ(Kind a, Kind b) {
  if (a == b || a == Kind::Open || b == Kind::Open) return false;
  const auto how_or_where = [](Kind one, Kind two) {
    return one == Kind::WhereDo && (two == Kind::How || two == Kind::Where);
  };
  return !how_or_where(a, b) && !how_or_where(b, a);
}

bool same_numbers(const Question& a, const Question& b) {
  if (a.measured == b.measured && a.measured.size() > a.numbers.size()) return true;
  const auto missing = [](const Question& one, const Question& two) {
    return one.digit_one && !two.digit_one && !two.word_one;
  };
  if (missing(a, b) || missing(b, a)) return false;
  return a.numbers == b.numbers || a.measured == b.measured;
}

bool synonyms(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto* one = entry_of(a);
  const auto* two = entry_of(b);
  if (one == nullptr || two == nullptr) return false;
  if (!one->unit.empty() && one->unit == two->unit) return true;
  if (!one->person.empty() && one->person == two->person) return true;
  return std::ranges::any_of(one->groups, [&](const auto& group) {
    return std::ranges::find(two->groups, group) != two->groups.end();
  });
}

/// Words of one side for which the other has none that means the same.
bool unmatched(const Words& one, const Words& two) {
  return std::ranges::any_of(one, [&](const std::string& word) {
    return std::ranges::none_of(two,
                                [&](const std::string& other) { return synonyms(word, other); });
  });
}

constexpr std::size_t kAlikeOfTen =
    6;  ///< tenths of all words that make two questions "otherwise alike"

constexpr std::size_t kContentOfTen = 8;  ///< the same of the words that are not function words

constexpr std::size_t kNearlyAllOfTen =
    7;  ///< of all words: then one more on one side is a condition

bool another_word(const Question& a, const Question& b) {
  Words one = a.words, two = b.words;
  std::ranges::sort(one);
  std::ranges::sort(two);
  Words shared;
  std::ranges::set_intersection(one, two, std::back_inserter(shared));
  const std::size_t longer = std::max(one.size(), two.size());
  const Words left = only_in(a.content, b.content), right = only_in(b.content, a.content);
  const std::size_t shorter = std::min(a.content.size(), b.content.size());
  const bool alike = 10 * shared.size() >= kAlikeOfTen * longer;
  const bool about_the_same = 10 * (a.content.size() - left.size()) >= kContentOfTen * shorter;
  if (!alike && !about_the_same) return false;
  const bool more = unmatched(left, right), less = unmatched(right, left);
  // "Can I return it?" and "Can I return it opened?": one condition more.
  if (10 * shared.size() >= kNearlyAllOfTen * longer && (more || less)) return true;
  return more && less;
}

}  // namespace

std::string_view name_of(Reason reason) {
  static constexpr std::array<std::string_view, 15> kNamesOfReasons = {
      "same",     "unread", "language", "numbers", "units", "negation", "opposite", "direction",
      "entities", "who",    "time",     "kind",    "scope", "modality", "words"};
  return kNamesOfReasons[static_cast<std::size_t>(reason)];
}

Reason differs(const Question& a, const Question& b) {
  if (!a.read || !b.read) return Reason::Unread;
  if (a.language != 0 && b.language != 0 && a.language != b.language) return Reason::Language;
  if (!same_numbers(a, b)) return Reason::Numbers;
  if (both_differ(a.units, b.units)) return Reason::Units;
  if (a.negated != b.negated) return Reason::Negation;
  if (opposite(a, b)) return Reason::Opposite;
  if (directed(a, b)) return Reason::Direction;
  if (!has_entities_of(a, b) || !has_entities_of(b, a)) return Reason::Entities;
  if (a.people != b.people) return Reason::Who;
  if (a.times != b.times) return Reason::Time;
  if (kinds_differ(a.kind, b.kind)) return Reason::Kind;
  if (a.only != b.only) return Reason::Scope;
  if (a.modality != 0 && b.modality != 0 && a.modality != b.modality) return Reason::Modality;
  if (another_word(a, b)) return Reason::Words;
  return Reason::Same;
}

}  // namespace causeway::similar
