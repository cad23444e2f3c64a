#include "features/privacy/pii/names.h"

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kNone = 0;
constexpr std::size_t kMaxPersonWords = 5;
constexpr std::size_t kMostWords = 8;  // of one name with its titles, of persons and organisations

/// Known as nothing but an ordinary word, a country, a firm's kind: no part of a person's name.
bool ordinary(const NameWord& word) {
  if (word.is(kSurname) && !word.is(kCommon)) return false;
  return word.is(kCommon | kCountry | kCompanyKind | kKnownCompany | kLegalForm | kTitle) ||
         word.end - word.begin < 2;
}

/// A surname in its place behind a given name, where ordinary words are surnames too ("Mark
/// Brown").
bool surname(const NameWord& word) {
  return word.capital && word.is(kSurname) && !word.is(kKnownCompany | kLegalForm);
}

bool unknown_capital(const NameWord& word) {
  return word.capital && !ordinary(word) && word.end - word.begin >= 3;
}

}  // namespace

std::size_t NameFinder::find(const Scene& scene, std::size_t begin) const {
  NameSequence words;
  read(scene.text, begin, words);
  if (words.size == 0) {
    std::size_t end = begin + 1;
    while (end < scene.text.size() && is_letter(scene.text[end])) ++end;
    return end;
  }
  // Most sentences begin so: an ordinary word by itself is nobody.
  const NameWord& head = words.words[0];
  if (words.size == 1 && ordinary(head) && !head.is(kGiven | kKnownCompany)) return head.end;
  for (std::size_t i = 0; i < words.size;) {
    // A list of names is longer than a sequence: what may be cut in two is read anew from here.
    if (words.cut && i > 0 && i + kMostWords > words.size) return words.words[i].begin;
    std::size_t next = organisation(scene, words, i);
    if (next == kNone) next = titled(scene, words, i);
    if (next == kNone) next = labelled(scene, words, i);
    if (next == kNone) next = surname_first(scene, words, i);
    if (next == kNone) next = person(scene, words, i);
    i = next == kNone ? i + 1 : next;
  }
  return words.words[words.size - 1].end;
}

/// "Baker & Sons Ltd", "University of Leeds", "Siemens": words [first, result).
std::size_t NameFinder::organisation(const Scene& scene, const NameSequence& words,
                                     std::size_t first) const {
  const NameWord& head = words.words[first];
  if (!head.capital) return kNone;
  const auto add = [&](std::size_t last, std::uint32_t rule, float confidence) {
    const bool near = scene.distance(rule, head.begin, words.words[last].end) >= 0;
    const std::size_t stop =
        words.words[last].full_stop && words.words[last].is(kLegalForm) ? 1 : 0;
    scene.add(head.begin, words.words[last].end + stop, rule,
              near ? confidence + 0.1F : confidence);
    return last + 1;
  };
  std::size_t named = head.is(kCommon) && !head.is(kSurname) ? 0 : 1;
  for (std::size_t i = first + 1; i < words.size && i < first + 6; ++i) {
    const NameWord& word = words.words[i];
    // "Lynch, Cormier and Sons"
    const bool listed = i + 1 < words.size && words.words[i + 1].is(kJoin) && named > 0;
    if (word.comma && !word.is(kLegalForm) && !listed) break;
    if (!word.capital && !word.is(kParticle | kJoin | kLegalForm)) break;
    if (word.is(kLegalForm) && (word.capital || word.shouted) && named > 0 &&
        !(word.end - word.begin < 2)) {
      // More legal forms may follow: "GmbH & Co. KG".
      std::size_t last = i;
      while (last + 1 < words.size && words.words[last + 1].is(kLegalForm)) ++last;
      // Two letters that are also words, or begin a number: "NINO AB 12 34".
      const bool two = word.end - word.begin <= 2;
      const bool number = (at(scene.text, words.words[last].end) == ' ' ||
                           at(scene.text, words.words[last].end) == '-') &&
                          is_digit(at(scene.text, words.words[last].end + 1));
      const bool short_form = number || (two && !word.shouted && !word.full_stop);
      if (!short_form) return add(last, rules_.suffix, 0.82F);
    }
    if (word.is(kCompanyKind) && word.capital && named > 0 && !head.is(kTitle)) {
      const bool more = i + 1 < words.size && words.words[i + 1].capital &&
                        !words.words[i + 1].comma &&
                        words.words[i + 1].is(kCompanyKind | kLegalForm);
      if (!more) return add(i, rules_.kind, 0.62F);
    }
    named += word.capital && !(word.is(kCommon) && !word.is(kSurname)) ? 1 : 0;
  }
  if (head.is(kCompanyHead) && first + 1 < words.size) {
    std::size_t last = first;
    for (std::size_t i = first + 1; i < words.size && i < first + 6 && !words.words[i].comma; ++i) {
      if (words.words[i].capital) last = i;
    }
    if (last > first && (!ordinary(words.words[last]) || words.words[last].is(kCity | kCountry))) {
      return add(last, rules_.kind, 0.6F);
    }
  }
  if (head.is(kKnownCompany) && !head.is(kCommon) && !head.is(kGiven))
    return add(first, rules_.known, 0.6F);
  return kNone;
}

/// "Dr. Jane van Dyk": the title is no part of what is found.
std::size_t NameFinder::titled(const Scene& scene, const NameSequence& words,
                               std::size_t first) const {
  if (!words.words[first].is(kTitle) || words.words[first].is(kGiven)) return kNone;
  std::size_t i = first;
  while (i < words.size && words.words[i].is(kTitle)) ++i;
  const std::size_t name = i;
  std::size_t last = kNone;
  for (; i < words.size && i < name + kMaxPersonWords && !words.words[i].comma; ++i) {
    const NameWord& word = words.words[i];
    if (word.capital && (!ordinary(word) || word.initial || word.is(kGiven | kSurname))) {
      last = i + 1;
    } else if (word.capital || !word.is(kParticle)) {
      break;
    }
  }
  if (last == kNone || last <= name) return kNone;
  if (last == name + 1 && words.words[name].is(kCommon) && !words.words[name].is(kSurname))
    return kNone;
  scene.add(words.words[name].begin, words.words[last - 1].end, rules_.titled, 0.9F);
  return last;
}

/// Right behind "my name is", "patient", "Dear": words with capitals, known or not.
std::size_t NameFinder::labelled(const Scene& scene, const NameSequence& words,
                                 std::size_t first) const {
  const NameWord& head = words.words[first];
  const bool doubtful = ordinary(head);
  if (!head.capital || (doubtful && !head.is(kGiven)) || !introduced(scene, head)) return kNone;
  if (doubtful) {
    // "Dear Grace," is a name where "Dear Customer" is none.
    const char next = at(scene.text, head.end);
    const bool more =
        first + 1 < words.size && surname(words.words[first + 1]) && !words.words[first + 1].comma;
    if (!more && (next == ' ' || is_alnum(next))) return kNone;
  }
  std::size_t last = first + 1;
  for (std::size_t i = first + 1;
       i < words.size && i < first + kMaxPersonWords && !words.words[i].comma; ++i) {
    const NameWord& word = words.words[i];
    if (word.capital && !ordinary(word)) {
      last = i + 1;
    } else if (!word.initial && !(word.is(kParticle) && !word.capital) && !surname(word)) {
      break;
    } else if (surname(word)) {
      last = i + 1;
    }
  }
  const bool known = head.is(kGiven | kSurname);
  if (!known && last == first + 1 && head.shouted) return kNone;
  scene.add(head.begin, words.words[last - 1].end, rules_.labelled,
            known              ? 0.9F
            : last > first + 1 ? 0.78F
                               : 0.6F);
  return last;
}

/// "Müller, Hans": both of the lists, and no more than that between two commas.
std::size_t NameFinder::surname_first(const Scene& scene, const NameSequence& words,
                                      std::size_t first) const {
  if (first + 1 >= words.size) return kNone;
  const NameWord &family = words.words[first], &given = words.words[first + 1];
  if (!surname(family) || family.is(kGiven | kCommon | kCity | kCountry) || !given.comma)
    return kNone;
  if (!given.is(kGiven) || given.is(kCommon)) return kNone;
  const std::size_t last =
      first + 2 < words.size && words.words[first + 2].initial ? first + 3 : first + 2;
  scene.add(family.begin, words.words[last - 1].end, rules_.surname_first, 0.72F);
  return last;
}

/// Whether the words right before say that a name follows.
bool NameFinder::introduced(const Scene& scene, const NameWord& word) const {
  const int distance = scene.distance(rules_.introductions, word.begin, word.end);
  if (distance < 0 || distance > 3) return false;
  const std::string_view between = scene.text.substr(
      word.begin - std::min<std::size_t>(word.begin, 3), std::min<std::size_t>(word.begin, 3));
  // A closing formula has its name on the next line.
  return !between.contains('.') && !between.contains('!') && !between.contains('?');
}

std::size_t NameFinder::person(const Scene& scene, const NameSequence& words,
                               std::size_t first) const {
  const NameWord& head = words.words[first];
  const bool given = head.capital && head.is(kGiven) && !head.initial;
  if (!given && !head.initial) return unknown_given(scene, words, first);
  if (head.initial && !head.full_stop) return kNone;
  std::size_t last = first + 1;
  bool family = false;
  for (std::size_t i = first + 1;
       i < words.size && i < first + kMaxPersonWords && !words.words[i].comma; ++i) {
    const NameWord& word = words.words[i];
    if (word.initial) continue;
    if (word.is(kParticle) && !word.capital) continue;
    if (!word.capital || (word.shouted && !head.shouted && !head.initial &&
                          word.end - word.begin > 1 && !surname(word)))
      break;
    if (word.is(kCommon | kCountry) && !surname(word)) break;
    const bool given_too = word.is(kGiven) && !word.is(kCommon);
    if (!surname(word) && !given_too && !unknown_capital(word)) break;
    if (word.is(kCommon) && !given_too && (head.is(kCommon) || family)) break;
    family = family || surname(word) || unknown_capital(word);
    last = i + 1;
  }
  if (last == first + 1) {
    if (given) given_alone(scene, head);
    return kNone;
  }
  const NameWord& end = words.words[last - 1];
  if (head.initial) {
    if (!surname(end) || end.is(kCommon)) return kNone;
    scene.add(head.begin, end.end, rules_.initials, 0.7F);
    return last;
  }
  // "Will Congress", "Paris Metro": a head that is also a word or a place needs a real surname.
  const bool doubtful = head.is(kCommon | kCountry | kCity);
  const bool place = !head.is(kCommon | kCountry) && !end.is(kCommon | kCity);
  if (doubtful && !place && (!surname(end) || end.is(kCommon))) {
    if (!(end.is(kSurname) && head.is(kGiven) &&
          scene.distance(rules_.full, head.begin, end.end) >= 0))
      return kNone;
  }
  const bool near = scene.distance(rules_.full, head.begin, end.end) >= 0;
  const float worth = doubtful ? 0.66F : surname(end) ? 0.85F : 0.66F;
  scene.add(head.begin, end.end, rules_.full, near ? worth + 0.1F : worth);
  return last;
}

/// "Rollin Lubowitz": no given name of the list, but a surname of it behind a word that is nothing
/// else.
std::size_t NameFinder::unknown_given(const Scene& scene, const NameSequence& words,
                                      std::size_t first) const {
  const NameWord& head = words.words[first];
  if (!unknown_capital(head) || head.marks != 0 || head.shouted) return kNone;
  std::size_t i = first + 1;
  while (i < words.size && !words.words[i].comma &&
         (words.words[i].initial || (words.words[i].is(kParticle) && !words.words[i].capital)))
    ++i;
  if (i >= words.size || words.words[i].comma) return kNone;
  const NameWord& end = words.words[i];
  if (!surname(end) || end.is(kCommon | kCity | kCountry | kCompanyKind) || end.shouted)
    return kNone;
  const bool near = scene.distance(rules_.full, head.begin, end.end) >= 0;
  scene.add(head.begin, end.end, rules_.full, near ? 0.66F : 0.52F);
  return i + 1;
}

void NameFinder::given_alone(const Scene& scene, const NameWord& word) const {
  if (word.is(kCommon | kCity | kCountry | kCompanyKind | kKnownCompany) ||
      word.end - word.begin < 3 || word.shouted)
    return;
  const bool near = scene.distance(rules_.given, word.begin, word.end) >= 0;
  scene.add(word.begin, word.end, rules_.given, near ? 0.8F : 0.55F);
}

}  // namespace causeway::pii
