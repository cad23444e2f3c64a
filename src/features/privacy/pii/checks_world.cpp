// Numbers of persons outside Europe, and of health systems.
#include <array>

#include "features/privacy/pii/check_digits.h"
#include "features/privacy/pii/checks.h"

namespace causeway::pii::checks {
namespace {

int last(std::string_view digits) { return digit(digits, digits.size() - 1); }

/// 11 - sum mod 11, where 10 and 11 are 0: Brazil's check digit.
int brazil_digit(int sum) {
  const int rest = sum % 11;
  return rest < 2 ? 0 : 11 - rest;
}

}  // namespace

// https://www.ssa.gov/employer/randomization.html; the two numbers were printed in adverts.
bool us_ssn(std::string_view digits) {
  const std::string_view area = digits.substr(0, 3);
  return area != "000" && area != "666" && digits[0] != '9' && digits.substr(3, 2) != "00" &&
         digits.substr(5) != "0000" && digits != "078051120" && digits != "219099999" &&
         varied(digits);
}

bool us_itin(std::string_view digits) {
  const long group = number(digits.substr(3, 2));
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
         (group >= 90 && group <= 92) || (group >= 94 && group <= 99);
}

bool us_ein(std::string_view digits) {
  constexpr std::string_view kNoCampus = "00 07 08 09 17 18 19 28 29 49 69 70 78 79 89 96 97 ";
  const std::size_t at = kNoCampus.find(digits.substr(0, 2));
  return (at == std::string_view::npos || at % 3 != 0) && varied(digits);
}

bool br_cpf(std::string_view digits) {
  const int first = brazil_digit(weighted(digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}));
  const int second = brazil_digit(weighted(digits, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}));
  return varied(digits) && first == digit(digits, 9) && second == digit(digits, 10);
}

bool br_cnpj(std::string_view digits) {
  const int first = brazil_digit(weighted(digits, {5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}));
  const int second = brazil_digit(weighted(digits, {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}));
  return varied(digits) && first == digit(digits, 12) && second == digit(digits, 13);
}

bool in_aadhaar(std::string_view digits) { return digits[0] > '1' && verhoeff(digits); }

bool in_pan(std::string_view compact) {
  return std::string_view("ABCFGHJLPT").contains(compact[3]);
}

bool ca_sin(std::string_view digits) {
  return digits[0] != '0' && digits[0] != '8' && varied(digits) && luhn(digits);
}

bool au_tfn(std::string_view digits) {
  return varied(digits) && weighted(digits, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0;
}

bool au_medicare(std::string_view digits) {
  return digits[0] >= '2' && digits[0] <= '6' &&
         weighted(digits, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == digit(digits, 8);
}

bool au_abn(std::string_view digits) {
  return (weighted(digits, {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) - 10) % 89 == 0;
}

// Eight digits count as nine with a zero before them.
bool nz_ird(std::string_view digits) {
  const std::string_view seven = digits.substr(digits.size() - 8, 7);
  const int lead = digits.size() == 9 ? digit(digits, 0) : 0;
  const auto check = [](int sum) { return sum % 11 == 0 ? 0 : 11 - sum % 11; };
  int expected = check(lead * 3 + weighted(seven, {2, 7, 6, 5, 4, 3, 2}));
  if (expected == 10) expected = check(lead * 7 + weighted(seven, {4, 3, 2, 5, 2, 7, 6}));
  return varied(digits) && expected == last(digits);
}

bool mx_curp(std::string_view compact) {
  // The alphabet has Ñ after N, which is what moves the letters behind it by one.
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    const char c = compact[i];
    const int value = letter_value(c) + (c > 'N' ? 1 : 0);
    sum += value * static_cast<int>(18 - i);
  }
  return month_day(compact.substr(6, 4)) && (10 - sum % 10) % 10 == compact[17] - '0';
}

bool mx_rfc(std::string_view compact) {
  return month_day(compact.substr(compact.size() == 13 ? 6 : 5, 4));
}

bool za_id(std::string_view digits) {
  return month_day(digits.substr(2, 4)) && (digits[10] == '0' || digits[10] == '1') && luhn(digits);
}

// Numbers given since October 2020 have no check digit: date and sex must do.
bool kr_rrn(std::string_view digits) {
  return month_day(digits.substr(2, 4)) && digits[6] >= '1' && digits[6] <= '8';
}

bool jp_my_number(std::string_view digits) {
  const int rest = weighted(digits, {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  return varied(digits) && (rest < 2 ? 0 : 11 - rest) == digit(digits, 11);
}

bool cn_resident_id(std::string_view compact) {
  const int sum = weighted(compact, {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2});
  return month_day(compact.substr(10, 4)) &&
         compact[17] == std::string_view("10X98765432")[static_cast<std::size_t>(sum % 11)];
}

bool sg_nric(std::string_view compact) {
  const int sum = weighted(compact.substr(1), {2, 7, 6, 5, 4, 3, 2});
  const auto letter = [&](std::string_view letters, int offset) {
    return compact[8] == letters[static_cast<std::size_t>((sum + offset) % 11)];
  };
  switch (compact[0]) {
    case 'S':
      return letter("JZIHGFEDCBA", 0);
    case 'T':
      return letter("JZIHGFEDCBA", 4);
    case 'F':
      return letter("XWUTRQPNMLK", 0);
    case 'G':
      return letter("XWUTRQPNMLK", 4);
    default:
      return letter("KLJNPQRTUWX", 3);
  }
}

bool tr_kimlik(std::string_view digits) {
  const int odd = weighted(digits, {1, 0, 1, 0, 1, 0, 1, 0, 1});
  const int even = weighted(digits, {0, 1, 0, 1, 0, 1, 0, 1, 0});
  const int tenth = ((odd * 7 - even) % 10 + 10) % 10;
  return digits[0] != '0' && tenth == digit(digits, 9) &&
         (odd + even + tenth) % 10 == digit(digits, 10);
}

bool cl_rut(std::string_view compact) {
  int sum = 0, weight = 2;
  for (std::size_t i = compact.size() - 1; i-- > 0; weight = weight == 7 ? 2 : weight + 1) {
    sum += digit(compact, i) * weight;
  }
  return compact.back() == std::string_view("0K987654321")[static_cast<std::size_t>(sum % 11)];
}

bool ar_cuit(std::string_view digits) {
  const int rest = weighted(digits, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  return (rest == 0 ? 0 : 11 - rest) == last(digits);
}

bool il_id(std::string_view digits) { return varied(digits) && luhn(digits); }

bool th_id(std::string_view digits) {
  const int sum = weighted(digits, {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2});
  return digits[0] != '0' && varied(digits) && (11 - sum % 11) % 10 == last(digits);
}

bool tw_id(std::string_view compact) {
  const auto letter = std::string_view("ABCDEFGHJKLMNPQRSTUVXYWZIO").find(compact[0]);
  const int value = static_cast<int>(letter) + 10;
  const int sum =
      value / 10 + value % 10 * 9 + weighted(compact.substr(1), {8, 7, 6, 5, 4, 3, 2, 1, 1});
  return sum % 10 == 0;
}

bool hk_id(std::string_view compact) {
  const bool two = compact.size() == 9;
  int sum = two ? letter_value(compact[0]) * 9 + letter_value(compact[1]) * 8
                : 36 * 9 + letter_value(compact[0]) * 8;
  sum += weighted(compact.substr(two ? 2 : 1), {7, 6, 5, 4, 3, 2});
  const int check = (11 - sum % 11) % 11;
  return compact.back() == (check == 10 ? 'A' : static_cast<char>('0' + check));
}

bool my_nric(std::string_view digits) { return month_day(digits.substr(2, 4)); }

bool uk_nhs(std::string_view digits) {
  const int check = 11 - weighted(digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11;
  return varied(digits) && check != 10 && check % 11 == digit(digits, 9);
}

// Luhn over the number with "80840" before it, which adds 24.
bool us_npi(std::string_view digits) {
  int sum = 24;
  for (std::size_t i = 0; i < 9; ++i) {
    const int value = digit(digits, i) * (i % 2 == 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return (10 - sum % 10) % 10 == digit(digits, 9);
}

bool us_dea(std::string_view compact) {
  return weighted(compact.substr(2), {1, 2, 1, 2, 1, 2}) % 10 == digit(compact, 8);
}

}  // namespace causeway::pii::checks
