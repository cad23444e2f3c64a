#include "platform/text/number.h"

namespace causeway::text {

void append_double(std::string& out, double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void append_fixed(std::string& out, std::int64_t value, int decimals) {
  char digits[24];
  out.append(digits, put_fixed(digits, value, decimals));
}

char* put_fixed(char* at, std::int64_t value, int decimals) {
  // Negated as unsigned, since the smallest int64 has no positive counterpart.
  std::uint64_t magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    magnitude = 0 - magnitude;
    *at++ = '-';
  }
  std::uint64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  at = std::to_chars(at, at + 20, magnitude / scale).ptr;
  std::uint64_t fraction = magnitude % scale;
  if (fraction == 0) return at;
  *at++ = '.';
  for (char* digit = at + decimals; digit-- != at; fraction /= 10) {
    *digit = static_cast<char>('0' + fraction % 10);
  }
  at += decimals;
  while (at[-1] == '0') --at;
  return at;
}

}  // namespace causeway::text
