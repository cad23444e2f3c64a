#include "features/traffic/overload/group.h"

#include <algorithm>
#include <vector>

namespace causeway::overload {

std::chrono::milliseconds Group::expected(std::size_t before) const {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(1000 * between_ * static_cast<double>(before + 1)));
}

Group::Entered Group::wait(int priority, std::string_view tenant, const OverloadSettings& settings,
                           Monotonic, FairQueue::Wake wake) {
  std::optional<FairQueue::Entry> gave_way;
  Entered entered{Entered::Result::Waits};
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() == 0 && in_flight_ + 1 <= limiter_.limit(bounds_)) {
      return {Entered::Result::Goes, ++in_flight_};
    }
    entered.expected = expected(queue_.before(priority, tenant, settings.weight));
    if (entered.expected > settings.wait) {
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
    entered.place = queue_.add(priority, tenant, settings.weight, std::move(wake));
  }
  if (gave_way) gave_way->wake(End::GaveWay);
  return entered;
}

// Under the lock.
std::vector<FairQueue::Wake> Group::take_turns() {
  std::vector<FairQueue::Wake> turns;
  while (queue_.size() > 0 && in_flight_ + 1 <= limiter_.limit(bounds_)) {
    turns.push_back(std::move(queue_.next()->wake));
    ++in_flight_;
  }
  return turns;
}

void Group::leave(Monotonic now) {
  std::vector<FairQueue::Wake> turns;
  {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    const double since = std::chrono::duration<double>(now - last_leave_).count();
    last_leave_ = now;
    if (queue_.size() == 0) {
      between_ = 0;
      return;
    }
    // The clock may be coarse: many end in the same of its steps.
    between_ = between_ == 0 ? std::min(since, 1.0) : 0.95 * between_ + 0.05 * since;
    turns = take_turns();
  }
  for (auto& wake : turns) wake(End::Admitted);
}

bool Group::give_up(const FairQueue::Place& place) {
  const std::lock_guard lock(mutex_);
  return queue_.remove(place).has_value();
}

void Group::answered(std::size_t kind, std::chrono::nanoseconds took, std::uint32_t in_flight,
                     Monotonic now) {
  std::vector<FairQueue::Wake> turns;
  {
    const std::lock_guard lock(mutex_);
    limiter_.answered(kind, took, in_flight, now, bounds_);
    if (queue_.size() > 0) turns = take_turns();
  }
  for (auto& wake : turns) wake(End::Admitted);
}

void Group::refused(std::uint32_t in_flight, Monotonic now) {
  const std::lock_guard lock(mutex_);
  limiter_.refused(in_flight, now, bounds_);
}

Group::View Group::view() const {
  const std::lock_guard lock(mutex_);
  return {limiter_.limit(bounds_), in_flight_, queue_.size()};
}

}  // namespace causeway::overload
