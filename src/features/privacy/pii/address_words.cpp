#include "features/privacy/pii/address_words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::string_view kStreetEnds[] = {
    "str",   "strasse",  "weg",    "platz",     "allee",  "gasse", "ring",    "damm",
    "ufer",  "chaussee", "steig",  "pfad",      "stieg",  "park",  "hof",     "berg",
    "markt", "graben",   "zeile",  "promenade", "straat", "laan",  "plein",   "gracht",
    "kade",  "dijk",     "singel", "steeg",     "pad",    "dreef", "burgwal", "plantsoen",
    "wal",   "weide",    "veld",   "hoek",      "akker",  "donk",  "kamp",
};
constexpr std::string_view kStreetHeads[] = {
    "Calle",    "C",        "Avenida",  "Avda",      "Av",           "Plaza",
    "Pza",      "Paseo",    "Carrer",   "Ronda",     "Camino",       "Travesia",
    "Glorieta", "Rambla",   "Callejon", "Pasaje",    "Urbanizacion", "Cuesta",
    "Alameda",  "Acceso",   "Canada",   "Via",       "Viale",        "V",
    "Piazza",   "P",        "Piazzale", "Corso",     "Vicolo",       "Largo",
    "Strada",   "Contrada", "Borgo",    "Lungomare", "Rotonda",      "Canale",
    "Stretto",  "Incrocio", "Rua",      "Travessa",  "Praca",        "Estrada",
    "Rodovia",
};
constexpr std::string_view kBoxHeads[] = {"PO",      "P",     "Postfach", "Apartado", "Casella",
                                          "Postbus", "Boite", "Caixa",    "PSC",      "Unit"};
constexpr std::string_view kPrepositions[] = {"Am", "An", "Auf", "Im", "In", "Zum", "Zur", "Unter"};
constexpr std::string_view kGermanStreets[] = {"Str", "Allee", "Platz", "Weg", "Ring"};
// As in the pattern, without those that begin like a shorter one.
constexpr std::string_view kRomanceStreets[] = {
    "rue",      "av",       "boulevard", "bd",    "blvd",      "pl",        "chemin",
    "allee",    "impasse",  "quai",      "cours", "route",     "square",    "passage",
    "faubourg", "sentier",  "villa",     "cite",  "esplanade", "promenade", "rond-point",
    "voie",     "traverse", "montee",    "cote"};

/// Words by their first letter and size, which most others do not share.
class WordList {
 public:
  template <std::size_t N>
  constexpr explicit WordList(const std::string_view (&words)[N]) : words_(words) {
    for (const std::string_view word : words) {
      sizes_[static_cast<std::size_t>(word.front() - 'A')] |= std::uint32_t{1} << word.size();
    }
  }
  /// `word` begins with a capital.
  constexpr bool has(std::string_view word) const {
    const std::uint32_t sizes = sizes_[static_cast<std::size_t>(word.front() - 'A')];
    if (word.size() >= 32 || (sizes >> word.size() & 1) == 0) return false;
    return std::ranges::find(words_, word) != words_.end();
  }

 private:
  std::span<const std::string_view> words_;
  std::array<std::uint32_t, 26> sizes_{};  // by first letter: bit n where one has n letters
};

constexpr WordList kHeads(kStreetHeads), kBoxes(kBoxHeads), kSmallWords(kPrepositions);

bool begins_with_folded(std::string_view text, std::string_view lower) {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (to_lower(at(text, i)) != lower[i]) return false;
  }
  return true;
}

std::size_t after_digits(std::string_view text, std::size_t i, std::size_t most) {
  const std::size_t first = i;
  while (is_digit(at(text, i)) && i - first < most) ++i;
  return i;
}

/// "1st", "42nd", "105th"
bool ordinal(std::string_view text, std::size_t i) {
  const std::string_view end =
      text.substr(std::min(after_digits(text, i, 3), text.size())).substr(0, 2);
  return end == "st" || end == "nd" || end == "rd" || end == "th";
}

}  // namespace

bool may_be_english(std::string_view text, std::size_t begin) {
  std::size_t i = after_digits(text, begin, 6);
  if (at(text, i) == '-') i = after_digits(text, i + 1, 4);
  if (is_letter(at(text, i))) ++i;
  if (at(text, i) == ',') ++i;
  if (at(text, i) != ' ') return false;
  const char word = at(text, i + 1);
  return is_upper(word) || (is_digit(word) && ordinal(text, i + 1));
}

bool may_be_french(std::string_view text, std::size_t begin) {
  const auto street = [&](std::size_t i) {
    if (at(text, i) == ',') ++i;
    if (at(text, i) != ' ') return false;
    const std::string_view word = text.substr(i + 1);
    if (word.empty() || !is_letter(word.front())) return false;
    for (const std::string_view one : kRomanceStreets) {
      if (begins_with_folded(word, one)) return true;
    }
    return false;
  };
  const std::size_t number = after_digits(text, begin, 4);
  if (street(number)) return true;
  if (!is_letter(at(text, number)) && !is_letter(at(text, number + 1))) return false;
  const std::size_t more = at(text, number) == ' ' ? number + 1 : number;
  for (const std::string_view one : {"bis", "ter", "quater", "a", "b", "c", "d"}) {
    if (more < text.size() && begins_with_folded(text.substr(more), one) &&
        street(more + one.size())) {
      return true;
    }
  }
  return false;
}

bool may_be_postcode(std::string_view text, std::size_t begin, std::size_t end) {
  const char gap = at(text, end);
  return is_upper(text[begin]) && (gap == ' ' || gap == '-') && is_digit(at(text, end + 1)) &&
         is_upper(at(text, end + 2));
}

bool street_word(std::string_view word) {
  for (const std::string_view end : kStreetEnds) {
    if (word.size() > end.size() + 1 && word.back() == end.back() && word.ends_with(end)) {
      return true;
    }
  }
  return false;
}

bool begins_with_street(std::string_view text) {
  for (const std::string_view street : kGermanStreets) {
    if (text.starts_with(street)) return true;
  }
  return false;
}

bool german_preposition(std::string_view word) { return kSmallWords.has(word); }

bool street_head(std::string_view word) { return kHeads.has(word); }

bool box_head(std::string_view word) { return kBoxes.has(word); }

}  // namespace causeway::pii
