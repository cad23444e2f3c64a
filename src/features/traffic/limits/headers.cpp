#include "features/traffic/limits/headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "core/dialect.h"

namespace causeway::limits {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::int64_t left_of(const Told& told) {
  return std::max<std::int64_t>(0, told.limit->most - told.standing.used);
}

double part_left(const Told& told) {
  return static_cast<double>(left_of(told)) / static_cast<double>(told.limit->most);
}

void put(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
  out.append(digits.begin(), end);
}

std::int64_t up(nanoseconds time) { return std::chrono::ceil<seconds>(time).count(); }

// RFC 3339, in UTC.
std::string moment(Wall time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - days));
  std::array<char, 40> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int(day.year()),
      unsigned(day.month()), unsigned(day.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

struct Names {
  std::string_view most, left, reset;
};
constexpr Names kOpenAi[] = {
    {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
    {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}};
constexpr Names kAnthropic[] = {
    {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-reset"},
    {"anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-reset"}};

void tell(Exchange& exchange, const Told& told, const Names& names, bool by_moment) {
  exchange.said.push_back({names.most, std::to_string(told.limit->most)});
  exchange.said.push_back({names.left, std::to_string(left_of(told))});
  const auto until = told.standing.until;
  exchange.said.push_back(
      {names.reset, by_moment ? moment(exchange.started_wall + std::chrono::ceil<seconds>(until))
                              : reset_text(until)});
}

void tell_ietf(Exchange& exchange, const Told& told) {
  exchange.said.push_back({"ratelimit-policy", told.limit->field_policy});
  std::string now;
  now.reserve(told.limit->field_name.size() + 48);
  now += told.limit->field_name;
  now += ";r=";
  put(now, left_of(told));
  now += ";t=";
  put(now, up(told.standing.until));
  exchange.said.push_back({"ratelimit", std::move(now)});
}

}  // namespace

std::string reset_text(nanoseconds time) {
  const auto whole = std::chrono::ceil<milliseconds>(time);
  std::string text;
  const auto add = [&text](std::int64_t number, std::string_view unit) {
    put(text, number);
    text += unit;
  };
  if (whole < seconds(1)) {
    add(whole.count(), "ms");
    return text;
  }
  const std::int64_t all = up(time);
  if (all >= 3600) add(all / 3600, "h");
  if (all >= 60) add(all / 60 % 60, "m");
  add(all % 60, "s");
  return text;
}

void tell_limits(Exchange& exchange, std::span<const Told> told) {
  exchange.said.reserve(exchange.said.size() + 8);
  const Told* nearest[2] = {nullptr, nullptr};  // of requests, of tokens
  for (const Told& one : told) {
    if (one.limit->amount != Amount::Requests && one.limit->amount != Amount::Tokens) continue;
    const Told*& best = nearest[one.limit->amount == Amount::Tokens];
    if (!best || part_left(one) < part_left(*best)) best = &one;
  }
  const bool by_moment = exchange.operation->dialect->name() == "anthropic";
  const auto* names = by_moment ? kAnthropic : kOpenAi;
  const Told* first = nullptr;
  for (int i = 0; i < 2; ++i) {
    if (!nearest[i]) continue;
    tell(exchange, *nearest[i], names[i], by_moment);
    if (!first || part_left(*nearest[i]) < part_left(*first)) first = nearest[i];
  }
  if (first) tell_ietf(exchange, *first);
}

}  // namespace causeway::limits
