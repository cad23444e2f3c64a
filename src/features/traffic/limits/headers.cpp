#include "features/traffic/limits/headers.h"

#include <algorithm>
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

// A structured field's string: what it may not hold is left out (RFC 9651, 3.3.3).
std::string structured_string(std::string_view name) {
  std::string text = "\"";
  for (const char letter : name) {
    if (letter < 0x20 || letter > 0x7E) continue;
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text += '"';
}

void tell(Exchange& exchange, const Told& told, const Names& names, bool by_moment) {
  exchange.said.push_back({names.most, std::to_string(told.limit->most)});
  exchange.said.push_back({names.left, std::to_string(left_of(told))});
  const auto until = told.standing.until;
  exchange.said.push_back(
      {names.reset, by_moment ? moment(exchange.started_wall + std::chrono::ceil<seconds>(until))
                              : reset_text(until)});
}

void tell_ietf(Exchange& exchange, const Told& told) {
  const std::string name = structured_string(told.limit->name);
  std::string policy = name + ";q=" + std::to_string(told.limit->most);
  if (told.limit->window.count() > 0) policy += ";w=" + std::to_string(up(told.limit->window));
  exchange.said.push_back({"ratelimit-policy", std::move(policy)});
  exchange.said.push_back({"ratelimit", name + ";r=" + std::to_string(left_of(told)) +
                                            ";t=" + std::to_string(up(told.standing.until))});
}

}  // namespace

std::string reset_text(nanoseconds time) {
  const auto whole = std::chrono::ceil<milliseconds>(time);
  if (whole < seconds(1)) return std::to_string(whole.count()) + "ms";
  const std::int64_t all = up(time);
  std::string text;
  if (all >= 3600) text += std::to_string(all / 3600) + "h";
  if (all >= 60) text += std::to_string(all / 60 % 60) + "m";
  return text + std::to_string(all % 60) + "s";
}

void tell_limits(Exchange& exchange, std::span<const Told> told) {
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
