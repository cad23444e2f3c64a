#include "features/traffic/routing/quota.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

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

// Of one bucket: what it must hold before this may be taken.
double wanted_of(double amount, double capacity, Priority priority) {
  const double others = capacity >= 10 ? capacity * left_to_others(priority) : 0;
  return std::min(amount + others, capacity);
}

}  // namespace

void Quota::Bucket::fill(double capacity, double per_second, double seconds) {
  level = std::exchange(filled, true) ? std::min(capacity, level + per_second * seconds) : capacity;
}

void Quota::fill(const QuotaLimits& limits, Monotonic now) {
  const double passed = std::chrono::duration<double>(now - filled_).count();
  filled_ = now;
  const auto one = [&](Bucket& bucket, std::uint64_t per_minute) {
    if (per_minute == 0) return;
    bucket.fill(capacity_of(per_minute), static_cast<double>(per_minute) / 60, passed);
  };
  one(requests_, limits.requests_per_minute);
  one(tokens_, limits.tokens_per_minute);
}

// Until there is enough also for so many before it, who want what those who wait want on average.
double Quota::seconds_until(const Wanted& wanted, std::size_t before) const {
  double seconds = 0;
  const auto look = [&](const Bucket& bucket, std::uint64_t per_minute, double amount,
                        double each) {
    if (per_minute == 0) return;
    const double most = wanted_of(amount, capacity_of(per_minute), wanted.priority);
    const double missing = most + static_cast<double>(before) * each - bucket.level;
    seconds = std::max(seconds, missing * 60 / static_cast<double>(per_minute));
  };
  const double mean =
      line_.size() == 0 ? 0
                        : static_cast<double>(tokens_waiting_) / static_cast<double>(line_.size());
  look(requests_, wanted.limits.requests_per_minute, 1, 1);
  look(tokens_, wanted.limits.tokens_per_minute, static_cast<double>(wanted.tokens), mean);
  return seconds;
}

// Nobody overtakes who waits with the same priority.
bool Quota::goes(const Wanted& wanted, Monotonic now) {
  const QuotaLimits& limits = wanted.limits;
  last_ = wanted;
  if (limits.requests_per_minute == 0 && limits.tokens_per_minute == 0) return true;
  fill(limits, now);
  if (line_.first() <= static_cast<int>(wanted.priority)) return false;
  if (seconds_until(wanted, 0) > 0) return false;
  requests_.level -= 1;
  tokens_.level -= static_cast<double>(wanted.tokens);
  return true;
}

namespace {

milliseconds rounded_up(double seconds) {
  const auto whole = milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
  return std::clamp(whole, milliseconds(10), kLongestWait);
}

}  // namespace

std::optional<milliseconds> Quota::take(const QuotaLimits& limits, std::uint64_t tokens,
                                        Priority priority, Monotonic now) {
  const Wanted wanted{limits, tokens, priority};
  const std::lock_guard guard(mutex_);
  if (goes(wanted, now)) return std::nullopt;
  return rounded_up(seconds_until(wanted, line_.before(static_cast<int>(priority), {}, 1)));
}

Quota::Entered Quota::wait(const Wanted& wanted, std::string_view tenant, milliseconds patience,
                           Monotonic now, Wake wake) {
  using Result = Entered::Result;
  const int priority = static_cast<int>(wanted.priority);
  std::optional<Line::Entry> gave_way;
  Entered entered{Result::Waits};
  {
    const std::lock_guard guard(mutex_);
    if (goes(wanted, now)) return {Result::Goes};
    entered.expected = rounded_up(seconds_until(wanted, line_.before(priority, tenant, 1)));
    if (entered.expected > patience) {
      entered.result = Result::TooLong;
      return entered;
    }
    if (line_.size() == 0) shares_.clear();
    if (line_.size() >= kMostWaiting) {
      gave_way = line_.make_room(priority, tenant, 1);
      if (!gave_way) {
        entered.result = Result::Full;
        return entered;
      }
      tokens_waiting_ -= gave_way->waiting.wanted.tokens;
    }
    auto share = shares_.find(tenant);
    if (share == shares_.end()) share = shares_.try_emplace(std::string(tenant)).first;
    tokens_waiting_ += wanted.tokens;
    entered.place = line_.add(priority, tenant, share->second, Waiting{wanted, std::move(wake)});
  }
  if (gave_way) gave_way->waiting.wake(queue::End::GaveWay);
  return entered;
}

// Whoever is first and has not enough yet lets nobody by: a large one would never have its turn.
void Quota::wake(Monotonic now) {
  std::vector<Wake> turns;
  {
    const std::lock_guard guard(mutex_);
    while (const auto* first = line_.front()) {
      const Wanted& wanted = first->waiting.wanted;
      fill(wanted.limits, now);
      if (seconds_until(wanted, 0) > 0) break;
      requests_.level -= 1;
      tokens_.level -= static_cast<double>(wanted.tokens);
      auto entry = line_.next([](const queue::Share&) { return true; });
      tokens_waiting_ -= entry->waiting.wanted.tokens;
      turns.push_back(std::move(entry->waiting.wake));
    }
  }
  for (Wake& turn : turns) turn(queue::End::Admitted);
}

void Quota::give_up(const Place& place, Monotonic now) {
  {
    const std::lock_guard guard(mutex_);
    const auto entry = line_.remove(place);
    if (!entry) return;
    tokens_waiting_ -= entry->waiting.wanted.tokens;
  }
  wake(now);  // whom it stood in the way of
}

void Quota::give_back(const Wanted& wanted, Monotonic now) {
  {
    const std::lock_guard guard(mutex_);
    requests_.level += 1;
    tokens_.level += static_cast<double>(wanted.tokens);
  }
  wake(now);
}

std::size_t Quota::waiting() const {
  const std::lock_guard guard(mutex_);
  return line_.size();
}

Quota::View Quota::view(Monotonic now) const {
  const std::lock_guard guard(mutex_);
  View view{.waiting = line_.size()};
  view.limited = last_.limits.requests_per_minute > 0 || last_.limits.tokens_per_minute > 0;
  if (!view.limited) return view;
  const std::size_t before = line_.before(static_cast<int>(last_.priority), {}, 1);
  const double since = std::chrono::duration<double>(now - filled_).count();
  const double left = seconds_until(last_, before) - since;
  if (left > 0) view.wait = rounded_up(left);
  return view;
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
