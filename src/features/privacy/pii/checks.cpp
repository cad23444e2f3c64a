// Methods that many use, and money.
#include "features/privacy/pii/checks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "features/privacy/pii/check_digits.h"

namespace causeway::pii::checks {
namespace {

struct IbanLength {
  char country[3];
  std::uint8_t length;
};
// SWIFT's IBAN registry, https://www.swift.com/standards/data-standards/iban
constexpr IbanLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27},
    {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
    {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20}, {"MR", 27},
    {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24}, {"PL", 28},
    {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31},
    {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
};

// ISO 3166, for the fifth and sixth letter of a SWIFT code.
constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA "
    "CD "
    "CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FO FR GA GB "
    "GD "
    "GE GG GH GI GL GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE "
    "KG "
    "KH KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT MU "
    "MV "
    "MW MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PG PH PK PL PR PS PT PY QA RO RS RU RW SA SB SC "
    "SD "
    "SE SG SI SK SL SM SN SO SR SS SV SY SZ TD TG TH TJ TL TM TN TO TR TT TW TZ UA UG US UY UZ VA "
    "VC "
    "VE VG VN VU WS XK YE ZA ZM ZW ";

// Which lengths the networks use for numbers that begin so (ISO/IEC 7812; the networks' own rules).
bool card_network(std::string_view digits) {
  const int two = digit(digits, 0) * 10 + digit(digits, 1);
  const int four = two * 100 + digit(digits, 2) * 10 + digit(digits, 3);
  const auto size = digits.size();
  if (digits[0] == '4') return size == 13 || size == 16 || size == 19;  // Visa
  if (two >= 51 && two <= 55) return size == 16;                        // Mastercard
  if (four >= 2221 && four <= 2720) return size == 16;                  // Mastercard
  if (two == 34 || two == 37) return size == 15;                        // American Express
  if (two == 36 || two == 38 || two == 39 || two == 30) return size == 14 || size == 16;  // Diners
  if (four == 6011 || two == 65 || (four >= 6440 && four <= 6499)) return size >= 16;  // Discover
  if (four >= 3528 && four <= 3589) return size >= 16;                                 // JCB
  if (four == 2131 || four == 1800) return size == 15;                                 // JCB
  if (two == 62 || two == 81) return size >= 16;                                       // UnionPay
  if (two == 50 || (two >= 56 && two <= 69)) return size >= 12;  // Maestro, RuPay, Elo
  if (four >= 2200 && four <= 2204) return size >= 16;           // Mir
  return false;
}

}  // namespace

bool luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
    const int value = digit(digits, i) * (twice ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}

// J. Verhoeff, Error detecting decimal codes, 1969: multiplication in the dihedral group D5.
bool verhoeff(std::string_view digits) {
  static constexpr std::uint8_t kMultiply[10][10] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
      {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
      {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
      {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
      {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
  static constexpr std::uint8_t kPermute[8][10] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
      {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
      {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
      {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
  std::size_t check = 0, position = 0;
  for (std::size_t i = digits.size(); i-- > 0; ++position) {
    check = kMultiply[check][kPermute[position % 8][static_cast<std::size_t>(digit(digits, i))]];
  }
  return check == 0;
}

bool mod_97(std::string_view alphanumeric) { return remainder_97(alphanumeric, 0) == 1; }

bool mod_11_10(std::string_view digits) {
  int product = 10;
  for (std::size_t i = 0; i + 1 < digits.size(); ++i) {
    int sum = (digit(digits, i) + product) % 10;
    if (sum == 0) sum = 10;
    product = sum * 2 % 11;
  }
  return (11 - product) % 10 == digit(digits, digits.size() - 1);
}

bool varied(std::string_view digits) {
  if (digits.find_first_not_of(digits[0]) == std::string_view::npos) return false;
  return !std::string_view("01234567890123456789").contains(digits) &&
         !std::string_view("98765432109876543210").contains(digits);
}

bool month_day(std::string_view text) {
  const int month = digit(text, 0) * 10 + digit(text, 1);
  const int day = digit(text, 2) * 10 + digit(text, 3);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool card(std::string_view digits) { return card_network(digits) && luhn(digits); }

bool iban(std::string_view compact) {
  const auto found = std::ranges::find_if(kIbanLengths, [&](const IbanLength& entry) {
    return compact.starts_with(std::string_view(entry.country, 2));
  });
  if (found == std::end(kIbanLengths) || compact.size() != found->length) return false;
  return remainder_97(compact.substr(0, 4), remainder_97(compact.substr(4), 0)) == 1;
}

// https://www.aba.com/about-us/routing-number: ranges of the Federal Reserve's districts.
bool aba(std::string_view digits) {
  const int district = digit(digits, 0) * 10 + digit(digits, 1);
  const bool known = district <= 12 || (district >= 21 && district <= 32) ||
                     (district >= 61 && district <= 72) || district == 80;
  return known && varied(digits) && weighted(digits, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 == 0;
}

bool swift(std::string_view compact) {
  const std::size_t at = kCountries.find(compact.substr(4, 2));
  return at != std::string_view::npos && at % 3 == 0;
}

bool clabe(std::string_view digits) {
  int sum = 0;
  constexpr std::array<int, 3> kWeights{3, 7, 1};
  for (std::size_t i = 0; i < 17; ++i) sum += digit(digits, i) * kWeights[i % 3] % 10;
  return (10 - sum % 10) % 10 == digit(digits, 17);
}

}  // namespace causeway::pii::checks
