// Numbers of persons in Europe.
#include <array>
#include <cstdint>

#include "features/privacy/pii/check_digits.h"
#include "features/privacy/pii/checks.h"

namespace causeway::pii::checks {
namespace {

constexpr std::string_view kDniLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

/// "YYMMDD"
bool date_6(std::string_view text) { return month_day(text.substr(2, 4)); }

/// "DDMMYY"
bool day_month(std::string_view text) {
  const int day = digit(text, 0) * 10 + digit(text, 1);
  const int month = digit(text, 2) * 10 + digit(text, 3);
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

int last(std::string_view digits) { return digit(digits, digits.size() - 1); }

}  // namespace

bool uk_nino(std::string_view compact) {
  const std::string_view prefix = compact.substr(0, 2);
  for (const std::string_view unused : {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}) {
    if (prefix == unused) return false;
  }
  return true;
}

bool uk_utr(std::string_view digits) {
  const int rest = weighted(digits.substr(1), {6, 7, 8, 9, 10, 5, 4, 3, 2}) % 11;
  return std::string_view("21987654321")[static_cast<std::size_t>(rest)] == digits[0];
}

// One digit of the first ten stands twice or three times, the others at most once.
bool de_steuer_id(std::string_view digits) {
  std::array<int, 10> counts{};
  for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(digit(digits, i))];
  int repeated = 0;
  for (const int count : counts) {
    if (count > 3) return false;
    if (count > 1) ++repeated;
  }
  return digits[0] != '0' && repeated == 1 && mod_11_10(digits);
}

// The letter counts as two digits; weights 2 1 2 5 7 1 2 1 2 1 2 1, digit sums.
bool de_rvnr(std::string_view compact) {
  if (!day_month(compact.substr(2, 6)) && digit(compact, 2) < 5) return false;
  constexpr std::array<int, 12> kWeights{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  const int letter = compact[8] - 'A' + 1;
  std::array<int, 12> values{};
  for (std::size_t i = 0; i < 8; ++i) values[i] = digit(compact, i);
  values[8] = letter / 10;
  values[9] = letter % 10;
  values[10] = digit(compact, 9);
  values[11] = digit(compact, 10);
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const int product = values[i] * kWeights[i];
    sum += product / 10 + product % 10;
  }
  return sum % 10 == digit(compact, 11);
}

bool de_kvnr(std::string_view compact) {
  const int letter = compact[0] - 'A' + 1;
  const std::array<int, 10> values{letter / 10,       letter % 10,       digit(compact, 1),
                                   digit(compact, 2), digit(compact, 3), digit(compact, 4),
                                   digit(compact, 5), digit(compact, 6), digit(compact, 7),
                                   digit(compact, 8)};
  int sum = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const int product = values[i] * (i % 2 == 0 ? 1 : 2);
    sum += product / 10 + product % 10;
  }
  return sum % 10 == digit(compact, 9);
}

bool icao_document(std::string_view compact) {
  constexpr std::array<int, 3> kWeights{7, 3, 1};
  int sum = 0;
  for (std::size_t i = 0; i + 1 < compact.size(); ++i) {
    sum += letter_value(compact[i]) * kWeights[i % 3];
  }
  return sum % 10 == letter_value(compact.back());
}

// Corsica's departments 2A and 2B count as 19 and 18.
bool fr_nir(std::string_view compact) {
  const int month = digit(compact, 3) * 10 + digit(compact, 4);
  if (month == 0 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false;
  std::array<char, 13> digits{};
  for (std::size_t i = 0; i < 13; ++i) digits[i] = compact[i];
  if (compact[6] == 'A' || compact[6] == 'B') {
    if (compact[5] != '2') return false;
    digits[5] = '1';
    digits[6] = compact[6] == 'A' ? '9' : '8';
  }
  const long value = number({digits.data(), digits.size()});
  return 97 - value % 97 == number(compact.substr(13, 2));
}

bool fr_spi(std::string_view digits) {
  return number(digits.substr(0, 10)) % 511 == number(digits.substr(10));
}

bool es_dni(std::string_view compact) {
  return compact[8] == kDniLetters[static_cast<std::size_t>(number(compact.substr(0, 8)) % 23)];
}

bool es_nie(std::string_view compact) {
  const long value = (compact[0] - 'X') * 10'000'000L + number(compact.substr(1, 7));
  return compact[8] == kDniLetters[static_cast<std::size_t>(value % 23)];
}

bool es_cif(std::string_view compact) {
  int sum = 0;
  for (std::size_t i = 1; i <= 7; ++i) {
    const int value = digit(compact, i) * (i % 2 == 1 ? 2 : 1);
    sum += value / 10 + value % 10;
  }
  const int check = (10 - sum % 10) % 10;
  return compact[8] == '0' + check ||
         compact[8] == std::string_view("JABCDEFGHI")[static_cast<std::size_t>(check)];
}

bool es_naf(std::string_view digits) {
  return number(digits.substr(0, 10)) % 97 == number(digits.substr(10)) &&
         number(digits.substr(0, 2)) >= 1 && number(digits.substr(0, 2)) <= 66;
}

// Decreto 12 marzo 1974: places counted from 1, odd ones by this table; letters may stand for
// digits where two persons would have the same code.
bool it_codice_fiscale(std::string_view compact) {
  constexpr std::array<int, 36> kOdd{1,  0,  5, 7, 9, 13, 15, 17, 19, 21,  // digits
                                     1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                     20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const int value = letter_value(compact[i]);
    sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(value)] : value > 9 ? value - 10 : value;
  }
  return std::string_view("ABCDEHLMPRST").contains(compact[8]) && compact[15] == 'A' + sum % 26;
}

bool nl_bsn(std::string_view digits) {
  return varied(digits) && weighted(digits, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 == 0;
}

bool pl_pesel(std::string_view digits) {
  const int month = (digit(digits, 2) * 10 + digit(digits, 3)) % 20;
  const int day = digit(digits, 4) * 10 + digit(digits, 5);
  const int sum = weighted(digits, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1});
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && sum % 10 == 0;
}

bool pl_nip(std::string_view digits) {
  return varied(digits) && weighted(digits, {6, 5, 7, 2, 3, 4, 5, 6, 7}) % 11 == digit(digits, 9);
}

bool pl_regon(std::string_view digits) {
  return weighted(digits, {8, 9, 2, 3, 4, 5, 6, 7}) % 11 % 10 == digit(digits, 8);
}

bool pl_id_card(std::string_view compact) {
  constexpr std::array<int, 9> kWeights{7, 3, 1, 9, 7, 3, 1, 7, 3};
  int sum = 0;
  for (std::size_t i = 0; i < 9; ++i) sum += letter_value(compact[i]) * kWeights[i];
  return sum % 10 == 0;
}

bool be_nn(std::string_view digits) {
  const int month = digit(digits, 2) * 10 + digit(digits, 3);
  if (month > 12 || digit(digits, 4) > 3) return false;
  const long value = number(digits.substr(0, 9)), check = number(digits.substr(9));
  return 97 - value % 97 == check || 97 - (2'000'000'000L + value) % 97 == check;
}

bool pt_nif(std::string_view digits) {
  if (!std::string_view("1235689").contains(digits[0]) || !varied(digits)) return false;
  const int rest = weighted(digits, {9, 8, 7, 6, 5, 4, 3, 2}) % 11;
  return (rest < 2 ? 0 : 11 - rest) == digit(digits, 8);
}

bool se_personnummer(std::string_view digits) {
  const std::string_view ten = digits.substr(digits.size() - 10);
  const int day = digit(ten, 4) * 10 + digit(ten, 5);
  const int month = digit(ten, 2) * 10 + digit(ten, 3);
  return month >= 1 && month <= 12 && ((day >= 1 && day <= 31) || (day >= 61 && day <= 91)) &&
         luhn(ten);
}

bool no_fodselsnummer(std::string_view digits) {
  return weighted(digits, {3, 7, 6, 1, 8, 9, 4, 5, 2, 1}) % 11 == 0 &&
         weighted(digits, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

// Since 2007 numbers are given out that fail the old check digit: only the date can be asked for.
bool dk_cpr(std::string_view digits) { return day_month(digits); }

bool fi_hetu(std::string_view compact) {
  const bool sign = compact.size() == 11;  // a letter stands for the century; "-" is not kept
  const std::string_view serial = compact.substr(sign ? 7 : 6, 3);
  if (!day_month(compact)) return false;
  const long value = number(compact.substr(0, 6)) * 1000 + number(serial);
  return compact.back() ==
         std::string_view("0123456789ABCDEFHJKLMNPRSTUVWXY")[static_cast<std::size_t>(value % 31)];
}

bool ch_ahv(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) sum += digit(digits, i) * (i % 2 == 0 ? 1 : 3);
  return digits.starts_with("756") && (10 - sum % 10) % 10 == digit(digits, 12);
}

bool at_svnr(std::string_view digits) {
  const int sum = weighted(digits, {3, 7, 9, 0, 5, 8, 4, 2, 1, 6});
  return digits[0] != '0' && day_month(digits.substr(4)) && sum % 11 == digit(digits, 3);
}

bool ie_pps(std::string_view compact) {
  int sum = weighted(compact, {8, 7, 6, 5, 4, 3, 2});
  if (compact.size() == 9 && compact[8] != 'W') sum += (compact[8] - 'A' + 1) * 9;
  return compact[7] ==
         std::string_view("WABCDEFGHIJKLMNOPQRSTUV")[static_cast<std::size_t>(sum % 23)];
}

bool cz_birth_number(std::string_view digits) {
  const int month = (digit(digits, 2) * 10 + digit(digits, 3)) % 50 % 20;
  const int day = digit(digits, 4) * 10 + digit(digits, 5);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && number(digits) % 11 == 0;
}

bool ro_cnp(std::string_view digits) {
  const int rest = weighted(digits, {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9}) % 11;
  return digits[0] != '0' && date_6(digits.substr(1)) && (rest == 10 ? 1 : rest) == last(digits);
}

bool bg_egn(std::string_view digits) {
  const int month = (digit(digits, 2) * 10 + digit(digits, 3)) % 20;
  return month >= 1 && month <= 12 &&
         weighted(digits, {2, 4, 8, 5, 10, 9, 7, 3, 6}) % 11 % 10 == last(digits);
}

bool gr_afm(std::string_view digits) {
  return varied(digits) &&
         weighted(digits, {256, 128, 64, 32, 16, 8, 4, 2}) % 11 % 10 == last(digits);
}

bool hr_oib(std::string_view digits) { return mod_11_10(digits); }

bool ee_isikukood(std::string_view digits) {
  if (digits[0] < '1' || digits[0] > '6' || !date_6(digits.substr(1))) return false;
  int rest = weighted(digits, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1}) % 11;
  if (rest == 10) rest = weighted(digits, {3, 4, 5, 6, 7, 8, 9, 1, 2, 3}) % 11 % 10;
  return rest == last(digits);
}

}  // namespace causeway::pii::checks
