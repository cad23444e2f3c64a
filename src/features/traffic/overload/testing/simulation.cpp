#include "features/traffic/overload/testing/simulation.h"

#include <algorithm>
#include <cmath>

namespace causeway::overload::testing {

double Simulation::Told::p(double part) const {
  if (took.empty()) return 0;
  auto sorted = took;
  std::ranges::sort(sorted);
  return sorted[static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())) - 1)];
}

Monotonic Simulation::clock() const {
  return Monotonic{} + std::chrono::hours(1) +
         std::chrono::nanoseconds(static_cast<std::int64_t>(now_ * 1e9));
}

void Simulation::at(double when, std::function<void()> act) {
  events_.push({when, order_++, std::move(act)});
}

std::size_t Simulation::add(Tenant tenant) {
  const std::size_t which = tenants_.size();
  tenants_.push_back({std::move(tenant), {}, 0});
  const Tenant& what = tenants_.back().what;
  for (int i = 0; i < what.callers; ++i) again(which, 0);
  if (what.rate > 0) next_arrival(which, 0);
  return which;
}

void Simulation::next_arrival(std::size_t tenant, std::uint64_t generation) {
  const double rate = tenants_[tenant].what.rate;
  if (rate <= 0) return;
  at(now_ + std::exponential_distribution<double>(rate)(random_), [=, this] {
    arrives(tenant);
    next_arrival(tenant, generation);
  });
}

void Simulation::again(std::size_t tenant, double after) {
  if (tenants_[tenant].what.callers == 0) return;
  at(now_ + after, [=, this] { arrives(tenant); });
}

void Simulation::arrives(std::size_t tenant) {
  Caller& caller = tenants_[tenant];
  if (caller.what.rate <= 0 && caller.what.callers == 0) return;
  const Id id = ++ids_;
  Request& request = requests_[id];
  request.tenant = tenant;
  request.work = caller.what.work(random_);
  request.came = now_;
  if (!gated) {
    begin(id);
    return;
  }
  OverloadSettings its = settings;
  its.weight = caller.what.weight;
  auto entered = group_.enter(caller.what.priority, caller.what.name, its, its.wait, clock(),
                              [this, id]() -> Wake {
                                return [this, id](End end, Turn turn) {
                                  if (end == End::Admitted) {
                                    requests_[id].turn = turn;
                                    at(now_, [this, id] { begin(id); });
                                  } else {
                                    at(now_, [this, id] { give_up(id, false); });
                                  }
                                };
                              });
  lowest_limit_ = std::min(lowest_limit_, group_.view().limit);
  using Result = Group::Entered::Result;
  if (entered.result == Result::Goes) {
    request.turn = entered.turn;
    begin(id);
    return;
  }
  if (entered.result == Result::Waits) {
    request.place = entered.place;
    request.waits = true;
    const double wait = std::chrono::duration<double>(settings.wait).count();
    at(now_ + wait, [this, id] { give_up(id, true); });
    if (std::uniform_real_distribution<double>()(random_) < caller.what.leaves) {
      at(now_ + 0.5, [this, id] {
        if (const auto it = requests_.find(id); it != requests_.end() && it->second.waits) {
          ++tenants_[it->second.tenant].told.left;
          give_up(id, false);
        }
      });
    }
    return;
  }
  ++caller.told.refused;
  caller.told.least_retry_after = std::min(caller.told.least_retry_after,
                                           std::chrono::duration<double>(entered.expected).count());
  requests_.erase(id);
  again(tenant, caller.what.retry);
}

void Simulation::give_up(Id id, bool late) {
  const auto it = requests_.find(id);
  if (it == requests_.end() || !it->second.waits) return;
  group_.give_up(it->second.place, clock());
  Caller& caller = tenants_[it->second.tenant];
  caller.told.longest_wait = std::max(caller.told.longest_wait, now_ - it->second.came);
  if (late) {
    ++caller.told.late;
  } else {
    ++caller.told.refused;
  }
  const std::size_t tenant = it->second.tenant;
  requests_.erase(it);
  again(tenant, caller.what.retry);
}

void Simulation::begin(Id id) {
  Request& request = requests_[id];
  request.waits = false;
  request.began = now_;
  Told& told = tenants_[request.tenant].told;
  told.waited.push_back(now_ - request.came);
  told.longest_wait = std::max(told.longest_wait, now_ - request.came);
  request.left = request.work.seconds * server.slower;
  if (server.sharing == Sharing::Slots) {
    line_.push_back(id);
    start_service();
    return;
  }
  share_time();
  worked_on_.push_back(id);
  next_of_time();
}

void Simulation::start_service() {
  while (!line_.empty() && busy_ < static_cast<int>(server.capacity)) {
    const Id id = line_.front();
    line_.pop_front();
    ++busy_;
    Request& request = requests_[id];
    request.first = now_ + request.work.until_first * server.slower;
    at(now_ + request.left, [this, id] {
      --busy_;
      end(id);
      start_service();
    });
  }
}

// All have had their part of the time since the last look.
void Simulation::share_time() {
  const double each =
      std::min(1.0, server.capacity / std::max<double>(double(worked_on_.size()), 1));
  const double before = shared_at_, done = (now_ - before) * each;
  shared_at_ = now_;
  for (const Id id : worked_on_) {
    Request& request = requests_[id];
    const double rest = (request.work.seconds - request.work.until_first) * server.slower;
    if (request.first == 0 && request.left - done <= rest) {
      request.first = before + (request.left - rest) / each;
    }
    request.left -= done;
  }
}

void Simulation::next_of_time() {
  const std::uint64_t generation = ++time_generation_;
  if (worked_on_.empty()) return;
  double least = 1e9;
  for (const Id id : worked_on_) least = std::min(least, requests_[id].left);
  const double each = std::min(1.0, server.capacity / double(worked_on_.size()));
  at(now_ + std::max(least, 0.0) / each + 1e-9, [this, generation] {
    if (generation != time_generation_) return;
    share_time();
    std::vector<Id> ended;
    std::erase_if(worked_on_, [&](Id id) {
      if (requests_[id].left > 1e-7) return false;
      ended.push_back(id);
      return true;
    });
    for (const Id id : ended) end(id);
    next_of_time();
  });
}

void Simulation::end(Id id) {
  const auto it = requests_.find(id);
  const Request request = it->second;
  requests_.erase(it);
  Caller& caller = tenants_[request.tenant];
  ++served_;
  ++caller.told.served;
  caller.told.took.push_back(now_ - request.came);
  if (gated) {
    const bool streamed = request.work.until_first > 0;
    const double took = (streamed ? request.first : now_) - request.began;
    const Group::Answer answer{
        Limiter::kind_of(streamed, request.work.request_bytes, request.work.tokens),
        std::chrono::nanoseconds(static_cast<std::int64_t>(took * 1e9))};
    group_.leave(request.turn, answer, clock());
    lowest_limit_ = std::min(lowest_limit_, group_.view().limit);
  }
  again(request.tenant, caller.what.think);
}

void Simulation::run(double seconds) {
  const double until = now_ + seconds;
  while (!events_.empty() && events_.top().at <= until) {
    Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.at);
    event.act();
  }
  now_ = until;
}

void Simulation::forget() {
  since_ = now_;
  served_ = 0;
  lowest_limit_ = 1e9;
  for (Caller& caller : tenants_) caller.told = {};
}

}  // namespace causeway::overload::testing
