#include "features/privacy/pii/addresses.h"

#include <re2/re2.h>

#include <array>

#include "features/privacy/pii/address_words.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/lexicon.h"

namespace causeway::pii {
namespace {

// How far an address is read.
constexpr std::size_t kReach = 200;

// What the patterns below are made of. The text is folded: no accents, no capitals but A to Z.
#define CAP "[A-Z][A-Za-z'-]*\\b\\.?"
#define TOWN "(?:St\\.? |Sankt )?[A-Z][A-Za-z'-]*\\b"
#define SEP "(?:,\\s*|\\s*\\n\\s*|\\s+-\\s+|\\s+)"
#define HARD "(?:,\\s*|\\s*\\n\\s*)"
#define STATE                                                                                     \
  "(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|" \
  "T[NX]|UT|V[AT]|W[AIVY]|[A-Z]{2}|(?:New |North |South |West )?[A-Z][a-z]{3,12})"
#define ZIP "\\d{5}(?:-\\d{4})?"
#define UKPC "[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}"
#define CAPC "[A-Z]\\d[A-Z][ -]?\\d[A-Z]\\d"
#define UNIT                                                                                      \
  "(?:" SEP                                                                                       \
  "(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Rm|Floor|Fl|Bldg|Building|Box|No|apt|suite|unit|" \
  "flat|apartment)\\.? ?#?[A-Za-z0-9-]{1,6}|#\\s?\\d{1,6}[A-Z]?))?"
#define CITY                                                                                    \
  TOWN "(?: (?:of |upon |on |le |la |de |the |am |an der |im |sur |di |del |den |aan den |sul " \
       ")?" TOWN "){0,3}"
#define COUNTRY                                                                               \
  "(?:" SEP                                                                                   \
  "(?:USA|U\\.S\\.A\\.?|US|United States|UK|United "                                          \
  "Kingdom|England|Scotland|Wales|Canada|Australia|Ireland|Germany|Deutschland|France|Spain|" \
  "Espana|Italy|Italia|Netherlands|Nederland|Austria|Osterreich|Switzerland|Schweiz|Belgium|" \
  "Belgique))?"
#define TAIL_EN                                                                                 \
  "(?:" HARD CITY "(?:" HARD "[A-Z][a-z]{2,15}(?: [A-Z][a-z]{2,15})?)??(?:" SEP STATE ",? " ZIP \
  "|" HARD STATE "\\b| " STATE " " ZIP "|" SEP UKPC "|" SEP STATE " " CAPC "|" SEP CAPC "|" SEP \
  "[A-Z]{2,3} \\d{4}|" SEP ZIP ")?|" SEP ZIP "|" HARD UKPC ")?" COUNTRY
#define STREET_EN                                                                                  \
  "(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|"   \
  "Sq|Terrace|Ter|Way|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Cres|Gardens|Grove|Hill|Mews|Park|"  \
  "Row|Walk|Circle|Cir|Trail|Trl|Alley|Loop|Plaza|Path|Pike|Run|Ridge|View|Green|Wharf|Quay|Rise|" \
  "Vale|Yard|Parade|Broadway|Crossing|Expressway|Freeway|Glen|Heights|Hollow|Island|Isle|"         \
  "Junction|Knoll|Landing|Meadow|Meadows|Mill|Mills|Mount|Mountain|Oval|Overpass|Pass|Passage|"    \
  "Point|Points|Port|Prairie|Ramp|Rapids|Shoal|Shore|Shores|Spring|Springs|Spur|Station|"          \
  "Stravenue|Stream|Summit|Throughway|Trace|Track|Turnpike|Union|Unions|Valley|Viaduct|Village|"   \
  "Ville|Vista|Walks|Wall|Well|Wells|Fork|Forks|Forge|Fort|Field|Fields|Flat|Flats|Ford|Forest|"   \
  "Falls|Ferry|Estate|Estates|Extension|Dale|Dam|Divide|Cove|Coves|Creek|Crest|Curve|Corner|"      \
  "Corners|Course|Club|Cliff|Cliffs|Center|Centers|Causeway|Cape|Canyon|Camp|Bypass|Burg|Brook|"   \
  "Brooks|Branch|Bridge|Bottom|Bluff|Bluffs|Bend|Beach|Bayou|Arcade|Annex|Garden|Gateway|Grove|"   \
  "Groves|Harbor|Haven|Inlet|Key|Keys|Lake|Lakes|Land|Light|Lights|Loaf|Lock|Locks|Lodge|Mall|"    \
  "Manor|Mission|Motorway|Neck|Orchard|Parks|Parkways|Pine|Pines|Plain|Plains|Radial|Ranch|Rest|"  \
  "River|Road|Roads|Route|Rue|Skyway|Squares|Streets|Tunnel)"
#define STREET_ROMANCE                                                                        \
  "(?:rue|avenue|av|boulevard|bd|blvd|place|pl|chemin|allee|allees|impasse|quai|cours|route|" \
  "square|passage|faubourg|sentier|villa|cite|esplanade|promenade|rond-point|voie|ruelle|"    \
  "traverse|montee|cote)"

#define LINE_EN                                                                                   \
  "\\d{1,6}(?:-\\d{1,4})?[A-Za-z]?,? (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\\.? "       \
  ")?(?:" CAP "|\\d{1,3}(?:st|nd|rd|th))(?: " CAP "|\\s\\d{1,3}(?:st|nd|rd|th)){0,3}? " STREET_EN \
  "\\b\\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\\b)?"

// Twice, so that RE2 need not say where the street ends: with groups it is ten times as slow.
const RE2& english_street() {
  static const RE2 pattern(LINE_EN);
  return pattern;
}
const RE2& english() {
  static const RE2 pattern(LINE_EN UNIT TAIL_EN);
  return pattern;
}

const RE2& french() {
  static const RE2 pattern(
      "(?i:\\d{1,4}(?: ?(?:bis|ter|quater|[a-d]))?,? " STREET_ROMANCE
      ")\\.? (?:(?:de la|de l'|du|des|de|d'|la|le|les|l'|a) ?){0,2}[A-Za-z0-9][A-Za-z0-9'.-]*(?: "
      "(?:de |du |des |la |le |et |d'|l')*[A-Z0-9][A-Za-z0-9'.-]*){0,5}(?:" SEP
      "(?:\\d{5}|\\d{4}) " CITY ")?" COUNTRY);
  return pattern;
}

// "Hauptstraße 5", "Am Markt 5a", "Keizersgracht 12-3": the word before may be part of it.
const RE2& german() {
  static const RE2 pattern(
      "(?:(?:[A-Z][a-z]*[a-z-](?:str(?:asse|\\.)|weg|platz|allee|gasse|ring|damm|ufer|chaussee|"
      "steig|pfad|stieg|park|hof|berg|markt|graben|zeile|promenade|straat|laan|plein|gracht|kade|"
      "dijk|singel|steeg|pad|dreef|hof|burgwal|plantsoen|wal|markt|weide|veld|hoek|akker|donk|kamp)"
      "|[A-Z][A-Za-z.-]+(?:[ -][A-Z][A-Za-z.-]+){0,3}[ "
      "-](?:Strasse|Str\\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer|Chaussee|Straat|Laan|Plein|Gracht|"
      "Kade|Dijk|Singel|straat|laan|plein|gracht|kade|weg)|(?:Am|An der|An den|Auf dem|Auf "
      "der|Im|In der|In den|Zum|Zur|Unter den|Alter|Alte|Neuer|Neue) [A-Z][A-Za-z-]+(?: "
      "[A-Z][A-Za-z-]+)?) ?\\d{1,4}(?: ?[a-zA-Z]\\b)?(?:[-/]\\d{1,4})?(?:" SEP
      "(?:[A-Z]{1,2}-)?(?:\\d{5}|\\d{4} ?[A-Z]{2}|\\d{4}) " CITY ")?)" COUNTRY);
  return pattern;
}

const RE2& southern() {
  static const RE2 pattern(
      "(?:Calle|C/"
      "|C\\.|Avenida|Avda\\.?|Av\\.|Plaza|Pza\\.?|Paseo|Carrer|Ronda|Camino|Travesia|Glorieta|"
      "Rambla|Callejon|Pasaje|Urbanizacion|Cuesta|Alameda|Acceso|Canada|Via|Viale|V\\.le|Piazza|"
      "P\\.za|Piazzale|Corso|C\\.so|Vicolo|Largo|Strada|Contrada|Borgo|Lungomare|Rotonda|Canale|"
      "Stretto|Incrocio|Rua|Travessa|Alameda|Praca|Estrada|Rodovia)\\s?(?:(?:de la|de las|de "
      "los|del|de|dei|degli|delle|della|dello|da|do|das|dos|di|la|el|los|las|d'|dell') "
      "?){0,2}[A-Z0-9][A-Za-z0-9'.-]*(?: (?:(?:de|del|la|las|los|di|da|do|dos|e|y|della|dei) "
      "){0,2}[A-Z][A-Za-z'.-]*){0,5},? ?(?:n[.*o]{0,2} ?|num\\. ?)?\\d{1,5}[A-Za-z]?\\b(?:" SEP
      "(?:\\d{1,2} ?[*oa]?\\.? ?[A-Z]?\\b|[Pp]iso \\d+|[Ii]nt(?:erno|\\.)? ?\\d+|[Aa]ppartamento "
      "?\\d+|[Pp]iano ?\\d+|[Pp]uerta \\d+|Apt\\. ?\\d+|\\d+[-]\\d+)){0,3}(?:" SEP
      "(?:\\d{5}(?:-\\d{3})?|\\d{4}-\\d{3}),? " CITY "(?: ?\\([A-Z]{2}\\))?)?" COUNTRY);
  return pattern;
}

const RE2& box() {
  static const RE2 pattern(
      "(?i:P\\.? ?O\\.? Box|Postfach|Apartado(?: de correos)?|Casella postale|Postbus|Boite "
      "postale|Caixa postal|PSC|Unit) (?:n[.*o]{0,2} ?)?#?\\d{1,7}(?:,? Box \\d{1,6})?(" TAIL_EN
      "|" SEP "(?:\\d{5}|\\d{4} ?[A-Z]{2}|\\d{4}) " CITY ")" COUNTRY);
  return pattern;
}

const RE2& postcode() {
  static const RE2 pattern("(?:" UKPC "|" CAPC ")\\b");
  return pattern;
}
const RE2& dutch_postcode() {
  static const RE2 pattern("[1-9]\\d{3} ?[A-Z]{2}\\b(?: " CITY ")?");
  return pattern;
}
const RE2& code_and_city() {
  static const RE2 pattern("(?:[A-Z]{1,2}-)?\\d{4,5} (" CITY ")");
  return pattern;
}
const RE2& city_state_zip() {
  static const RE2 pattern("(" CITY
                           "),\\s?(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N["
                           "CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]) " ZIP "\\b");
  return pattern;
}

#undef CAP
#undef TOWN
#undef SEP
#undef HARD
#undef STATE
#undef ZIP
#undef UKPC
#undef CAPC
#undef UNIT
#undef CITY
#undef COUNTRY
#undef TAIL_EN
#undef STREET_EN
#undef LINE_EN
#undef STREET_ROMANCE

/// Bytes of what matches right at `begin`, without blanks and signs at its end; 0 = nothing.
std::size_t match(const RE2& pattern, std::string_view text, std::size_t begin,
                  std::string_view* group = nullptr) {
  const std::string_view rest = text.substr(begin, kReach);
  const re2::StringPiece input(rest.data(), rest.size());
  std::array<re2::StringPiece, 2> parts;
  const int wanted = group && pattern.NumberOfCapturingGroups() > 0 ? 2 : 1;
  if (!pattern.Match(input, 0, input.size(), RE2::ANCHOR_START, parts.data(), wanted)) return 0;
  if (group && wanted == 2) *group = {parts[1].data(), parts[1].size()};
  std::size_t size = parts[0].size();
  while (size > 0 && !is_alnum(rest[size - 1]) && rest[size - 1] != ')') --size;
  return size;
}

bool known_city(std::string_view city) {
  const auto blank = std::min(city.find_first_of(" ,"), city.size());
  const auto marks = Lexicon::get().marks_of(city.substr(0, blank));
  return (marks & kCity) != 0;
}

}  // namespace

void AddressFinder::at_number(const Scene& scene, std::size_t begin, std::size_t end) const {
  const std::string_view text = scene.text;
  if (!is_digit(text[begin])) {
    // "NW1 6XE", "K1A 0B1"
    if (end - begin >= 2 && end - begin <= 4 && may_be_postcode(text, begin, end)) {
      const std::size_t size = match(postcode(), text, begin);
      if (size >= 6)
        scene.add(begin, begin + size, rules_.postcode,
                  0.6F + (scene.distance(rules_.postcode, begin, begin + size) >= 0 ? 0.2F : 0.0F));
    }
    return;
  }
  const char next = at(text, end);
  const char word = at(text, end + 1 + (next == ',' ? 1 : 0));
  if ((next != ' ' && next != ',' && next != '-') || before(text, begin) == '.' ||
      before(text, begin) == '$')
    return;
  if (may_be_english(text, begin)) {
    const std::size_t street = match(english_street(), text, begin);
    if (street > 0) {
      const std::size_t size = std::max(street, match(english(), text, begin));
      const bool near = scene.distance(rules_.en, begin, begin + size) >= 0;
      scene.add(begin, begin + size, rules_.en, size > street + 4 ? 0.95F : near ? 0.9F : 0.7F);
      return;
    }
  }
  if (may_be_french(text, begin)) {
    const std::size_t size = match(french(), text, begin);
    if (size > 0) {
      scene.add(begin, begin + size, rules_.fr, 0.9F);
      return;
    }
  }
  if (is_upper(word) && (end - begin == 4 || end - begin == 5) && next == ' ')
    town(scene, begin, end);
}

/// "75002 Paris", "1015 CJ Amsterdam"
void AddressFinder::town(const Scene& scene, std::size_t begin, std::size_t end) const {
  std::string_view city;
  const bool near = scene.distance(rules_.postcode, begin, end) >= 0;
  const std::size_t dutch =
      end - begin == 4 ? match(dutch_postcode(), scene.text, begin, nullptr) : 0;
  if (dutch > 0) {
    scene.add(begin, begin + dutch, rules_.postcode, near || dutch > 8 ? 0.75F : 0.4F);
    return;
  }
  if (end - begin != 5 && !near) return;
  const std::size_t size = match(code_and_city(), scene.text, begin, &city);
  if (size > 0 && known_city(city)) {
    scene.add(begin, begin + size, rules_.postcode, near ? 0.85F : 0.65F);
  }
}

void AddressFinder::at_word(const Scene& scene, std::size_t begin, std::size_t end) const {
  const std::string_view text = scene.text, word = text.substr(begin, end - begin);
  if (street_head(word)) {
    if (const std::size_t size = match(southern(), text, begin); size > 0) {
      scene.add(begin, begin + size, rules_.south, 0.92F);
      return;
    }
  }
  if (box_head(word)) {
    if (const std::size_t size = match(box(), text, begin); size > 0) {
      scene.add(begin, begin + size, rules_.box, word == "Unit" || word == "PSC" ? 0.7F : 0.92F);
      return;
    }
  }
  const char next = at(text, end);
  if (next == ',' && at(text, end + 1) == ' ' && is_upper(at(text, end + 2)) &&
      is_upper(at(text, end + 3)) && at(text, end + 4) == ' ' && is_digit(at(text, end + 5))) {
    if (const std::size_t size = match(city_state_zip(), text, begin); size > 0) {
      scene.add(begin, begin + size, rules_.postcode, 0.8F);
    }
  }
  const std::size_t number = next == '.' && at(text, end + 1) == ' ' ? end + 2 : end + 1;
  const bool numbered = (next == ' ' || next == '.') && is_digit(at(text, number));
  const bool small = german_preposition(word);
  const bool before_street = next == ' ' && begins_with_street(text.substr(end + 1));
  if ((numbered && street_word(word)) || small || before_street) {
    const std::size_t size = match(german(), text, begin);
    if (size > 0) {
      const bool long_enough = size > end - begin + 8;
      const bool near = scene.distance(rules_.de, begin, begin + size) >= 0;
      scene.add(begin, begin + size, rules_.de,
                long_enough && !small ? 0.93F
                : near                ? 0.85F
                : small               ? (size > 25 ? 0.6F : 0.3F)
                                      : 0.7F);
    }
  }
}

}  // namespace causeway::pii
