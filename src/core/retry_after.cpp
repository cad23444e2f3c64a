#include "core/retry_after.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "platform/text/ascii.h"

namespace causeway {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

constexpr milliseconds kLongest{3'600'000};

/// A part of a date: `size` digits.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t size) {
  if (text.size() < at + size) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, size)) {
    if (!text::is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Time> time_of(std::optional<int> year, unsigned month, std::optional<int> day,
                            std::string_view clock) {
  const auto hour = digits(clock, 0, 2), minute = digits(clock, 3, 2), second = digits(clock, 6, 2);
  if (!year || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

/// "2026-11-26T04:39:28Z", "2026-11-26T04:39:28.5+01:00"; the fraction is rounded up to a second.
std::optional<Time> rfc3339(std::string_view text) {
  const auto month = digits(text, 5, 2);
  if (text.size() < 20 || !month) return std::nullopt;
  auto time = time_of(digits(text, 0, 4), static_cast<unsigned>(*month), digits(text, 8, 2),
                      text.substr(11));
  if (!time) return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
    *time += std::chrono::seconds(1);
  }
  if (rest == "Z" || rest == "z") return time;
  const auto hours = digits(rest, 1, 2), minutes = digits(rest, 4, 2);
  if (rest.size() != 6 || !hours || !minutes) return std::nullopt;
  const auto east = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return rest[0] == '-' ? *time + east : *time - east;
}

/// "Thu, 26 Nov 2026 04:39:28 GMT" (RFC 9110, section 5.6.7).
std::optional<Time> http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29) return std::nullopt;
  const auto month = kMonths.find(text.substr(8, 3));
  if (month == kMonths.npos || month % 3 != 0) return std::nullopt;
  return time_of(digits(text, 12, 4), static_cast<unsigned>(month / 3 + 1), digits(text, 5, 2),
                 text.substr(17));
}

std::optional<double> unit_in_ms(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s" || unit.empty()) return 1e3;
  if (unit == "m") return 60e3;
  if (unit == "h") return 3600e3;
  if (unit == "d") return 86400e3;
  return std::nullopt;
}

Time now_of(std::span<const http::Field> fields) {
  if (const auto date = http::find(fields, "date")) {
    if (const auto time = http_date(*date)) return *time;
  }
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

std::optional<milliseconds> retry_after(std::span<const http::Field> fields) {
  std::optional<double> wait;
  if (const auto value = http::find(fields, "retry-after-ms")) wait = text::parse_double(*value);
  if (!wait) {
    if (const auto value = http::find(fields, "retry-after")) {
      if (const auto seconds = text::parse_double(*value)) {
        wait = *seconds * 1000;
      } else if (const auto until = http_date(text::trim(*value))) {
        wait = std::max(0.0, static_cast<double>((*until - now_of(fields)).count()));
      }
    }
  }
  if (!wait || *wait < 0) return std::nullopt;
  const auto most = static_cast<double>(kLongest.count());
  return milliseconds(static_cast<std::int64_t>(std::min(*wait, most)));
}

std::optional<milliseconds> duration_of(std::string_view text) {
  text = text::trim(text);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = text::parse_double(text.substr(0, digits));
    if (digits == 0 || !number) return std::nullopt;
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = unit_in_ms(text.substr(0, letters));
    if (!unit) return std::nullopt;
    text.remove_prefix(letters);
    total = std::min(total + *number * *unit, static_cast<double>(kLongest.count()));
  }
  return milliseconds(static_cast<std::int64_t>(std::ceil(total)));
}

namespace {

// Of those that say so the limits with nothing remaining, else all; the latest counts.
std::optional<milliseconds> until_openai_reset(std::span<const http::Field> fields) {
  std::optional<milliseconds> of_all, of_exhausted;
  for (const std::string_view limit : {"requests", "tokens"}) {
    const auto reset = http::find(fields, "x-ratelimit-reset-" + std::string(limit));
    const auto wait = reset ? duration_of(*reset) : std::nullopt;
    if (!wait) continue;
    of_all = std::max(of_all.value_or(milliseconds(0)), *wait);
    if (http::find(fields, "x-ratelimit-remaining-" + std::string(limit)) == "0") {
      of_exhausted = std::max(of_exhausted.value_or(milliseconds(0)), *wait);
    }
  }
  return of_exhausted ? of_exhausted : of_all;
}

}  // namespace

std::optional<milliseconds> until_rate_limit_reset(std::span<const http::Field> fields) {
  if (const auto wait = until_openai_reset(fields)) return wait;
  constexpr std::array<std::string_view, 4> kLimits = {"requests", "tokens", "input-tokens",
                                                       "output-tokens"};
  std::optional<Time> of_all, of_exhausted;
  for (const auto limit : kLimits) {
    const std::string name = "anthropic-ratelimit-" + std::string(limit);
    const auto reset = http::find(fields, name + "-reset");
    const auto time = reset ? rfc3339(text::trim(*reset)) : std::nullopt;
    if (!time) continue;
    of_all = of_all ? std::max(*of_all, *time) : *time;
    if (http::find(fields, name + "-remaining") == "0") {
      of_exhausted = of_exhausted ? std::max(*of_exhausted, *time) : *time;
    }
  }
  if (!of_all) return std::nullopt;
  return std::clamp(of_exhausted.value_or(*of_all) - now_of(fields), milliseconds(0), kLongest);
}

}  // namespace causeway
