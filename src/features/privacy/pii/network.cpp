#include "features/privacy/pii/network.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/checks.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMaxLocal = 64, kMaxDomain = 253;

// RFC 5322 has / ? & as well; who writes these in front of an address writes a URL.
bool in_local_part(char c) {
  return is_alnum(c) || std::string_view("._%+-!#$'*=^`{|}~").contains(c);
}

// A mailing list's return path: bounce+jan=example.com@lists.example,
// jan=example.com@lists.example.
bool is_return_path(std::string_view local, std::size_t equals) {
  if (local.substr(0, equals).contains('+')) return true;
  const std::string_view last = local.substr(local.find_last_of(".=") + 1);
  return local.find('.', equals) != std::string_view::npos && last.size() >= 2 &&
         last.size() <= 4 && std::ranges::all_of(last, is_letter);
}

// Of `name=jan@example.com` the address alone, so that it is the same one as without the name.
std::size_t behind_name(std::string_view local, char before) {
  const std::size_t equals = local.rfind('=');
  if (equals == std::string_view::npos || equals + 1 == local.size()) return 0;
  const bool parameter = before == '?' || before == '&';
  return parameter || !is_return_path(local, equals) ? equals + 1 : 0;
}

/// Bytes of an IPv4 address at the beginning of the text; 0 = there is none.
std::size_t ip4_size(std::string_view text) {
  std::size_t i = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && at(text, i++) != '.') return 0;
    int value = 0;
    const std::size_t first = i;
    while (i < text.size() && is_digit(text[i]) && i - first < 4)
      value = value * 10 + text[i++] - '0';
    if (i == first || i - first > 3 || value > 255 || (i - first > 1 && text[first] == '0'))
      return 0;
  }
  if (is_alnum(at(text, i)) || (at(text, i) == '.' && is_alnum(at(text, i + 1)))) return 0;
  return i;
}

const RE2& decimal_pattern() {
  static const RE2 pattern(
      R"((\d{1,2}\.\d{3,15})[ ]?[NS*]?(?:[,;/ ]|, |; | / | and |,\s*lon(?:gitude)?[:= ]*|\s+lon(?:gitude)?[:= ]*|, lng[:= ]*)\s?([-+]?\d{1,3}\.\d{3,15})\*?(?: ?([EW])\b)?)");
  return pattern;
}

const RE2& degrees_pattern() {
  static const RE2 pattern(
      R"(\d{1,3}\*\s?(?:\d{1,2}(?:\.\d+)?\s?'\s?(?:\d{1,2}(?:\.\d+)?\s?(?:"|''))?)?\s?[NSEWO]\b(?:[,;]?\s?\d{1,3}\*\s?(?:\d{1,2}(?:\.\d+)?\s?'\s?(?:\d{1,2}(?:\.\d+)?\s?(?:"|''))?)?\s?[NSEWO]\b)?)");
  return pattern;
}

std::size_t decimals(std::string_view number) { return number.size() - number.find('.') - 1; }

}  // namespace

std::size_t NetworkFinder::at_sign(const Scene& scene, std::size_t i) const {
  const std::string_view text = scene.text;
  std::size_t begin = i, end = i + 1, last_dot = 0;
  while (begin > 0 && i - begin < kMaxLocal && in_local_part(text[begin - 1])) --begin;
  begin += behind_name(text.substr(begin, i - begin), before(text, begin));
  while (begin < i && !is_alnum(text[begin]) && text[begin] != '_' && text[begin] != '+') ++begin;
  while (end < text.size() && end - i <= kMaxDomain &&
         (is_alnum(text[end]) || text[end] == '.' || text[end] == '-' || text[end] == '_')) {
    if (text[end] == '.' && text[end - 1] == '.') break;
    ++end;
  }
  while (end > i + 1 && !is_alnum(text[end - 1]) && text[end - 1] != '_') --end;
  for (std::size_t k = i + 1; k < end; ++k) last_dot = text[k] == '.' ? k : last_dot;
  const std::string_view tail = last_dot > 0 ? text.substr(last_dot + 1, end - last_dot - 1) : "";
  if (begin == i || tail.size() < 2 ||
      tail.find_first_not_of("0123456789") == std::string_view::npos)
    return i + 1;
  if (last_dot == i + 1 || is_digit(tail[0])) return i + 1;
  // `user@host.method(` is code.
  if (at(text, end) == '(' || before(text, begin) == '@') return i + 1;
  scene.add(begin, end, rules_.email, 0.98F);
  return end;
}

std::size_t NetworkFinder::at_colon(const Scene& scene, std::size_t i) const {
  const std::string_view text = scene.text;
  std::size_t begin = i, end = i;
  while (begin > 0 && i - begin <= 4 && is_hex(text[begin - 1])) --begin;
  std::size_t colons = 0, digits = 0, hex = 0;
  while (end < text.size() && end - begin < 64 &&
         (is_hex(text[end]) || text[end] == ':' || text[end] == '.')) {
    colons += text[end] == ':' ? 1 : 0;
    ++end;
  }
  while (end > i + 1 && (text[end - 1] == '.' || (text[end - 1] == ':' && text[end - 2] != ':'))) {
    colons -= text[end - 1] == ':' ? 1 : 0;
    --end;
  }
  for (std::size_t k = begin; k < end; ++k) {
    digits += is_digit(text[k]) ? 1 : 0;
    hex += is_hex(text[k]) ? 1 : 0;
  }
  if (colons < 2 || is_alnum(before(text, begin)) || is_alnum(at(text, end)) ||
      before(text, begin) == ':')
    return i + 1;
  const std::string_view span = text.substr(begin, end - begin);
  bool pairs = span.size() == 17 || span.size() == 23;
  for (std::size_t k = 0; k < span.size() && pairs; ++k)
    pairs = (span[k] == ':') == (k % 3 == 2) && span[k] != '.';
  if (pairs) {
    scene.add(begin, end, rules_.mac, 0.93F);
    return end;
  }
  std::array<char, 65> copy{};
  std::memcpy(copy.data(), span.data(), span.size());
  in6_addr address;
  if (hex < 4 || digits == 0 || inet_pton(AF_INET6, copy.data(), &address) != 1) return i + 1;
  scene.add(begin, end, rules_.ip6, 0.92F);
  return end;
}

std::size_t NetworkFinder::at_dash(const Scene& scene, std::size_t i) const {
  const std::string_view text = scene.text;
  if (i < 2 || at(text, i + 3) != '-' || at(text, i + 6) != '-' || is_alnum(before(text, i - 2)))
    return i + 1;
  if (before(text, i - 2) == '-') return i + 1;
  std::size_t k = i - 2, pairs = 0;
  bool letter = false;
  while (is_hex(at(text, k)) && is_hex(at(text, k + 1))) {
    letter = letter || is_letter(text[k]) || is_letter(text[k + 1]);
    ++pairs;
    k += 2;
    if (at(text, k) != '-') break;
    ++k;
  }
  if ((pairs != 6 && pairs != 8) || is_alnum(at(text, k)) || at(text, k) == '-' ||
      before(text, k) == '-')
    return i + 1;
  const int near = scene.distance(rules_.mac, i - 2, k);
  scene.add(i - 2, k, rules_.mac, letter ? 0.92F : near >= 0 ? 0.85F : 0.55F);
  return k;
}

void NetworkFinder::at_number(const Scene& scene, std::size_t begin, std::size_t end) const {
  const std::string_view text = scene.text;
  const std::size_t size = end - begin;
  const char next = at(text, end);
  if (size <= 3 && next == '.' && is_digit(text[begin])) {
    ip4(scene, begin);
    decimal(scene, begin);
  }
  if (size <= 3 && next == '*') degrees(scene, begin);
  if (size == 4 && next == '.') dotted_mac(scene, begin);
  if (size >= 25 && size <= 35 && checks::base58check(text.substr(begin, size))) {
    scene.add(begin, end, rules_.base58, 0.97F);
  }
}

void NetworkFinder::ip4(const Scene& scene, std::size_t begin) const {
  const std::string_view text = scene.text;
  const char previous = before(text, begin);
  const std::size_t size = ip4_size(text.substr(begin));
  if (size == 0 || is_alnum(previous) || previous == '.' || previous == '_') return;
  // "Chrome/120.0.0.0", "v1.2.3.4"
  if (previous == '/' && begin > 1 && is_alnum(text[begin - 2])) return;
  if (previous == '-' && begin > 1 && is_alnum(text[begin - 2])) return;
  const int version = scene.distance(rules_.version, begin, begin + size);
  const int near = scene.distance(rules_.ip4, begin, begin + size);
  const bool spoken_against = version >= 0 && version < 25 && (near < 0 || version < near);
  scene.add(begin, begin + size, rules_.ip4, spoken_against ? 0.2F : near >= 0 ? 0.93F : 0.75F);
}

void NetworkFinder::decimal(const Scene& scene, std::size_t begin) const {
  const std::string_view text = scene.text;
  if (!is_digit(at(text, begin + 1)) && at(text, begin + 1) != '.') return;
  const std::size_t dot = text.find('.', begin);
  if (!is_digit(at(text, dot + 1)) || !is_digit(at(text, dot + 2)) || !is_digit(at(text, dot + 3)))
    return;
  const char previous = before(text, begin);
  if (is_alnum(previous) || previous == '.' || previous == ',') return;
  re2::StringPiece first, second, side;
  const std::string_view rest = text.substr(begin, 90);
  re2::StringPiece input(rest.data(), rest.size());
  re2::StringPiece parts[4];
  if (!decimal_pattern().Match(input, 0, input.size(), RE2::ANCHOR_START, parts, 4)) return;
  const std::string_view latitude(parts[1].data(), parts[1].size()),
      longitude(parts[2].data(), parts[2].size());
  const double north = std::strtod(std::string(latitude).c_str(), nullptr);
  const double east = std::strtod(std::string(longitude).c_str(), nullptr);
  if (north > 90 || east > 180 || east < -180) return;
  const bool minus = previous == '-' || previous == '+';
  const std::size_t from = minus ? begin - 1 : begin, to = begin + parts[0].size();
  if (is_digit(at(text, to)) || (at(text, to) == ',' && is_digit(at(text, to + 1)))) return;
  const int near = scene.distance(rules_.decimal, from, to);
  const std::size_t places = std::min(decimals(latitude), decimals(longitude));
  const bool precise = places >= 4 && places <= 8 && (north >= 10 || east >= 10 || east <= -10) &&
                       decimals(latitude) == decimals(longitude);
  const bool sided = parts[3].size() > 0;
  if (near >= 0 || sided) {
    scene.add(from, to, rules_.decimal, 0.93F);
  } else if (precise) {
    scene.add(from, to, rules_.decimal, 0.6F);
  }
}

void NetworkFinder::degrees(const Scene& scene, std::size_t begin) const {
  const std::string_view rest = scene.text.substr(begin, 80);
  const re2::StringPiece input(rest.data(), rest.size());
  re2::StringPiece all;
  if (!degrees_pattern().Match(input, 0, input.size(), RE2::ANCHOR_START, &all, 1)) return;
  scene.add(begin, begin + all.size(), rules_.degrees, 0.92F);
}

void NetworkFinder::dotted_mac(const Scene& scene, std::size_t begin) const {
  const std::string_view text = scene.text.substr(begin, 15);
  if (text.size() < 14 || text[9] != '.' || is_alnum(at(text, 14)) ||
      before(scene.text, begin) == '.')
    return;
  bool letter = false;
  for (std::size_t k = 0; k < 14; ++k) {
    if (k == 4 || k == 9) continue;
    if (!is_hex(text[k])) return;
    letter = letter || is_letter(text[k]);
  }
  const int near = scene.distance(rules_.mac, begin, begin + 14);
  scene.add(begin, begin + 14, rules_.mac, near >= 0 ? 0.9F : letter ? 0.65F : 0.2F);
}

}  // namespace causeway::pii
