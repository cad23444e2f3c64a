#include "features/traffic/overload/group.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace causeway::overload {
namespace {

using namespace std::chrono_literals;

constexpr auto kHere = 30s;          // a tenant counts so long after its last request
constexpr double kSpare = 1.0 / 16;  // of the limit
constexpr double kLeastToSpare = 4;

}  // namespace

// Under the lock.
Share& Group::share_of(std::string_view tenant, const OverloadSettings& settings, Monotonic now) {
  const auto known = settings.concurrency_of(target_);
  const double least = known.value_or(settings.least);
  const double most = known.value_or(settings.most);
  bounds_ = {least, std::max(least, most), settings.slower};
  if (now - forgot_ >= 1s) forget(now);
  auto found = shares_.find(tenant);
  if (found == shares_.end()) {
    found = shares_.try_emplace(std::string(tenant)).first;
    found->second.weight = 0;
  }
  Share& share = found->second;
  weights_ += settings.weight - share.weight;
  share.weight = settings.weight;
  share.last = now;
  return share;
}

void Group::forget(Monotonic now) {
  forgot_ = now;
  weights_ = 0;
  std::erase_if(shares_, [&](const auto& each) {
    const Share& share = each.second;
    const bool gone = share.in_flight == 0 && share.waiting == 0 && now - share.last >= kHere;
    if (!gone) weights_ += share.weight;
    return gone;
  });
}

// A part of the limit is kept free of those who have more than their share: whoever has less finds
// a place at once, and need not wait for one to become free.
bool Group::fits(const Share& share) const {
  if (in_flight_ == 0) return true;  // nobody's end would bring another turn
  const double limit = limiter_.limit(bounds_);
  if (in_flight_ + 1 > limit) return false;
  const bool measuring = limiter_.measuring();
  const double fair = std::max(1.0, limit * share.weight / weights_);
  if (share.in_flight + 1 <= (measuring && shares_.size() == 1 ? fair / 2 : fair)) return true;
  const double spare = measuring               ? limit / 2
                       : limit < kLeastToSpare ? 0
                                               : std::max(1.0, kSpare * limit);
  return in_flight_ + 1 <= limit - spare;
}

Turn Group::begin(Share& share, Monotonic now) {
  ++share.in_flight;
  return {&share, limiter_.started(++in_flight_, now, bounds_)};
}

// From how long places are held, and how many there are (Little).
std::chrono::milliseconds Group::expected(std::size_t before) const {
  const double places = std::max<double>(in_flight_, 1);
  const double seconds = held_ * static_cast<double>(before + 1) / places;
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * std::min(seconds, 3600.0)));
}

Group::Entered Group::wait(int priority, std::string_view tenant, const OverloadSettings& settings,
                           std::chrono::milliseconds patience, Monotonic now, Wake wake) {
  std::optional<Queue::Entry> gave_way;
  Entered entered{Entered::Result::Waits};
  {
    const std::lock_guard lock(mutex_);
    Share& share = share_of(tenant, settings, now);
    limiter_.wanted(now, bounds_);
    if (may_go(priority, share)) return {Entered::Result::Goes, begin(share, now)};
    entered.expected = expected(queue_.before(priority, tenant, settings.weight));
    if (entered.expected > patience || patience.count() <= 0) {
      entered.result = Entered::Result::TooLong;
      return entered;
    }
    if (queue_.size() >= settings.queue) {
      gave_way = queue_.make_room(priority, tenant, settings.weight);
      if (!gave_way) {
        entered.result = Entered::Result::Full;
        return entered;
      }
    }
    entered.place = queue_.add(priority, tenant, share, std::move(wake));
  }
  if (gave_way) gave_way->waiting(End::GaveWay, {});
  return entered;
}

// Under the lock.
std::vector<std::pair<Wake, Turn>> Group::take_turns(Monotonic now) {
  std::vector<std::pair<Wake, Turn>> turns;
  const double limit = std::max(1.0, limiter_.limit(bounds_));
  while (queue_.size() > 0 && in_flight_ + 1 <= limit) {
    auto next = queue_.next([&](const Share& share) { return fits(share); });
    if (!next) break;
    turns.emplace_back(std::move(next->waiting), begin(*next->share, now));
  }
  return turns;
}

void Group::leave(const Turn& turn, std::optional<Answer> answer, Monotonic now) {
  std::vector<std::pair<Wake, Turn>> turns;
  {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    --turn.share->in_flight;
    turn.share->last = now;
    // A few that took very long are not to have all the others refused.
    const double held = std::chrono::duration<double>(now - turn.start.at).count();
    held_ = held_ == 0 ? held : 0.95 * held_ + 0.05 * std::min(held, 4 * held_);
    if (answer) {
      limiter_.answered(turn.start, answer->kind, answer->took, now, bounds_);
    }
    if (queue_.size() == 0) return;
    limiter_.wanted(now, bounds_);
    turns = take_turns(now);
  }
  for (auto& [wake, its] : turns) wake(End::Admitted, its);
}

void Group::give_up(const Queue::Place& place, Monotonic now) {
  std::vector<std::pair<Wake, Turn>> turns;
  {
    const std::lock_guard lock(mutex_);
    if (!queue_.remove(place) || queue_.size() == 0) return;
    turns = take_turns(now);  // whom it stood in the way of
  }
  for (auto& [wake, its] : turns) wake(End::Admitted, its);
}

void Group::refused(const Turn& turn, Monotonic now) {
  const std::lock_guard lock(mutex_);
  limiter_.refused(turn.start, now, bounds_);
}

Group::View Group::view() const {
  const std::lock_guard lock(mutex_);
  const double limit = limiter_.limit(bounds_);
  const bool free = queue_.size() == 0 && in_flight_ + 1 <= limit;
  return {limit, in_flight_, queue_.size(), !limiter_.limits(bounds_),
          free ? std::chrono::milliseconds(0) : expected(queue_.size())};
}

std::vector<Group::TenantView> Group::tenants(std::size_t most) const {
  std::vector<TenantView> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, share] : shares_) {
      if (share.in_flight + share.waiting > 0) {
        all.push_back({name, share.in_flight, share.waiting});
      }
    }
  }
  const auto more = [](const TenantView& a, const TenantView& b) {
    return std::tuple(b.waiting, b.in_flight, a.name) < std::tuple(a.waiting, a.in_flight, b.name);
  };
  std::ranges::sort(all, more);
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace causeway::overload
