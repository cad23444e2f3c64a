#include "features/traffic/routing/quota.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/retry_after.h"

namespace causeway::routing {
namespace {

using std::chrono::milliseconds;

constexpr double kBucketSeconds = 10;
constexpr milliseconds kLongestWait{60'000};

double capacity_of(std::uint64_t per_minute) {
  return std::max(1.0, static_cast<double>(per_minute) * kBucketSeconds / 60);
}

// The part of a bucket that is left to those of a higher priority.
double left_to_others(Priority priority) {
  switch (priority) {
    case Priority::High:
      return 0;
    case Priority::Normal:
      return 0.1;
    case Priority::Low:
      return 0.3;
  }
  return 0;
}

// Seconds until so much is there.
double seconds_until(double level, double wanted, std::uint64_t per_minute) {
  return std::max(0.0, (wanted - level) * 60 / static_cast<double>(per_minute));
}

// Of one bucket: what it must hold before this may be taken.
double wanted_of(double amount, double capacity, Priority priority) {
  const double others = capacity >= 10 ? capacity * left_to_others(priority) : 0;
  return std::min(amount + others, capacity);
}

}  // namespace

void Quota::Bucket::fill(double capacity, double per_second, double seconds) {
  level = std::exchange(filled, true) ? std::min(capacity, level + per_second * seconds) : capacity;
}

std::optional<milliseconds> Quota::take(const QuotaLimits& limits, std::uint64_t tokens,
                                        Priority priority, Monotonic now) {
  if (limits.requests_per_minute == 0 && limits.tokens_per_minute == 0) return std::nullopt;
  const std::lock_guard guard(mutex_);
  const double passed = std::chrono::duration<double>(now - filled_).count();
  filled_ = now;
  double wait = 0;
  const auto look = [&](Bucket& bucket, std::uint64_t per_minute, double amount) {
    if (per_minute == 0) return;
    const double capacity = capacity_of(per_minute);
    bucket.fill(capacity, static_cast<double>(per_minute) / 60, passed);
    wait = std::max(wait,
                    seconds_until(bucket.level, wanted_of(amount, capacity, priority), per_minute));
  };
  look(requests_, limits.requests_per_minute, 1);
  look(tokens_, limits.tokens_per_minute, static_cast<double>(tokens));
  if (wait > 0) {
    const auto whole = milliseconds(static_cast<std::int64_t>(std::ceil(wait * 1000)));
    return std::clamp(whole, milliseconds(10), kLongestWait);
  }
  requests_.level -= 1;
  tokens_.level -= static_cast<double>(tokens);
  return std::nullopt;
}

void Quota::settle(const QuotaLimits& limits, std::uint64_t estimated, std::uint64_t real) {
  if (limits.tokens_per_minute == 0) return;
  const std::lock_guard guard(mutex_);
  tokens_.level += static_cast<double>(estimated) - static_cast<double>(real);
  // No more than a minute's: what a provider says of one answer may be wrong.
  tokens_.level = std::max(tokens_.level, -static_cast<double>(limits.tokens_per_minute));
}

std::optional<milliseconds> until_left(std::span<const http::Field> fields) {
  std::optional<milliseconds> longest;
  for (const http::Field& field : fields) {
    constexpr std::string_view kRemaining = "ratelimit-remaining-";
    if (field.value != "0") continue;
    std::optional<milliseconds> wait;
    if (const auto at = field.name.find(kRemaining); at != std::string_view::npos) {
      const std::string reset =
          "x-ratelimit-reset-" + std::string(field.name.substr(at + kRemaining.size()));
      if (const auto value = http::find(fields, reset)) wait = duration_of(*value);
    } else if (field.name.starts_with("anthropic-ratelimit-") &&
               field.name.ends_with("-remaining")) {
      wait = until_rate_limit_reset(fields);
    }
    if (wait) longest = std::max(longest.value_or(milliseconds(0)), *wait);
  }
  if (longest) longest = std::min(*longest, kLongestWait);
  return longest;
}

}  // namespace causeway::routing
