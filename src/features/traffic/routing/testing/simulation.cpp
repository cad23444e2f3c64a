#include "features/traffic/routing/testing/simulation.h"

#include <algorithm>
#include <cmath>

namespace causeway::routing::testing {
namespace {

std::chrono::nanoseconds nanos(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

std::chrono::milliseconds millis(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e3)));
}

}  // namespace

double Simulation::Told::p(double part) const {
  if (took.empty()) return 0;
  auto sorted = took;
  std::ranges::sort(sorted);
  return sorted[static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())) - 1)];
}

void Simulation::at(double when, std::function<void()> act) {
  events_.push({when, order_++, std::move(act)});
}

void Simulation::run(double seconds) {
  for (const Server& server : servers) {
    Target target = make_target(server.name, nullptr, server.name);
    target.place = static_cast<std::uint16_t>(targets_.size());
    if (server.quota_known) target.quota.requests_per_minute = server.requests_per_minute;
    target.quota_key = target.key;
    targets_.push_back(std::move(target));
  }
  places_.resize(servers.size());
  told_.shares.resize(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    places_[i].left = servers[i].requests_per_minute / 6.0;
  }
  clock_.advance(std::chrono::hours(1));
  until_ = seconds;
  at(0, [this] { arrives(); });
  while (!events_.empty()) {
    auto act = events_.top().act;
    clock_.advance(nanos(events_.top().when - now_));
    now_ = events_.top().when;
    events_.pop();
    act();
  }
}

void Simulation::arrives() {
  if (now_ >= until_) return;
  ++told_.requests;
  auto request = std::make_shared<Request>();
  request->came = now_;
  if (prefixes > 0) {  // the n-th is asked for 1/n as often as the first (Zipf's law), about
    const double u = std::uniform_real_distribution<double>(0, 1)(random_);
    request->begins =
        1 + static_cast<std::uint64_t>(std::pow(static_cast<double>(prefixes), u) - 1);
  }
  choose(*request);
  goes_on(request);
  at(now_ + std::exponential_distribution<double>(rate)(random_), [this] { arrives(); });
}

void Simulation::choose(Request& request) {
  request.next = 0;
  request.soonest = 0;
  if (strategy_) {
    Asking asking;
    asking.now = clock();
    asking.draw = random_();
    asking.begins = request.begins;
    order_targets(targets_, *strategy_, asking, states_, request.order);
    return;
  }
  request.order.clear();
  const std::size_t first = turn_++ % targets_.size();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    request.order.push_back(&targets_[(first + i) % targets_.size()]);
  }
}

// First each in turn; when none is left, once more after a pause.
void Simulation::goes_on(const Request_& request) {
  while (request->next < request->order.size()) {
    const auto server = static_cast<std::size_t>(request->order[request->next++] - targets_.data());
    if (admit(request, server)) return;
  }
  const double pause = std::max(0.25 * (1 << request->rounds), request->soonest - now_);
  if (request->rounds >= 3 || request->waited + pause > patience) {
    ++told_.errors;
    return;
  }
  ++request->rounds;
  request->waited += pause;
  at(now_ + pause, [this, request] {
    choose(*request);
    goes_on(request);
  });
}

// As target_stage.cpp does it.
bool Simulation::admit(const Request_& request, std::size_t server) {
  if (!strategy_) {
    call(request, server, false);
    return true;
  }
  const auto later = [&](std::chrono::milliseconds wait) {
    const double when = now_ + std::chrono::duration<double>(wait).count();
    request->soonest = request->soonest == 0 ? when : std::min(request->soonest, when);
  };
  Breaker& breaker = states_.of(targets_[server])->breaker();
  const auto admission = breaker.admit(clock());
  if (!admission.goes) {
    later(admission.wait);
    return false;
  }
  Quota* quota = states_.quota_of(targets_[server]);
  if (const auto wait = quota->take(targets_[server].quota, 0, Priority::High, clock())) {
    breaker.withdrawn(admission.trial);
    later(*wait);
    return false;
  }
  call(request, server, admission.trial);
  return true;
}

const Trouble* Simulation::trouble(std::size_t server, Trouble::Kind kind) const {
  for (const Trouble& one : servers[server].troubles) {
    if (one.kind == kind && one.begin <= now_ && now_ < one.end) return &one;
  }
  return nullptr;
}

void Simulation::call(const Request_& request, std::size_t server, bool trial) {
  ++told_.calls;
  ++told_.shares[server];
  states_.of(targets_[server])->began(clock());
  auto made = std::make_shared<Call>(Call{request, server, now_, trial});
  const auto fails = [&](double after, double retry_after = 0) {
    at(now_ + after, [this, made, retry_after] { failed(made, retry_after); });
  };
  if (trouble(server, Trouble::Kind::Down)) return fails(0.001);
  if (trouble(server, Trouble::Kind::Hangs)) return fails(timeout);
  if (const auto* errors = trouble(server, Trouble::Kind::Errors);
      errors && std::uniform_real_distribution<double>(0, 1)(random_) < errors->much) {
    return fails(0.02);
  }
  Place& place = places_[server];
  if (const double each = servers[server].requests_per_minute / 60.0; each > 0) {
    place.left = std::min(each * 10, place.left + (now_ - place.filled) * each);
    place.filled = now_;
    if (place.left < 1) {
      ++told_.limited;
      return fails(0.02, (1 - place.left) / each);
    }
    place.left -= 1;
  }
  at(now_ + timeout, [this, made] { failed(made, 0); });
  if (place.busy < servers[server].places) {
    begins(made);
  } else {
    place.line.push_back(made);
  }
}

void Simulation::begins(const std::shared_ptr<Call>& call) {
  const Server& server = servers[call->server];
  Place& place = places_[call->server];
  ++place.busy;
  double seconds = std::exponential_distribution<double>(1 / server.seconds)(random_);
  if (const auto* slow = trouble(call->server, Trouble::Kind::Slow)) seconds *= slow->much;
  if (server.prefixes > 0) {
    const auto found = std::ranges::find(place.remembers, call->request->begins);
    if (found != place.remembers.end()) {
      seconds /= 10;
      place.remembers.erase(found);
    }
    place.remembers.push_front(call->request->begins);
    if (place.remembers.size() > server.prefixes) place.remembers.pop_back();
  }
  at(now_ + seconds, [this, call] {
    answered(call);
    leaves(call->server);
  });
}

void Simulation::leaves(std::size_t server) {
  Place& place = places_[server];
  --place.busy;
  while (!place.line.empty()) {
    auto next = std::move(place.line.front());
    place.line.pop_front();
    if (next->over) continue;
    begins(next);
    return;
  }
}

void Simulation::answered(const std::shared_ptr<Call>& call) {
  if (std::exchange(call->over, true)) return;
  told_.took.push_back(now_ - call->request->came);
  TargetState& state = *states_.of(targets_[call->server]);
  state.ended();
  state.answered_after(nanos(now_ - call->began), clock());
  state.breaker().answering(call->trial);
  state.breaker().succeeded(false);
}

void Simulation::failed(const std::shared_ptr<Call>& call, double retry_after) {
  if (std::exchange(call->over, true)) return;
  TargetState& state = *states_.of(targets_[call->server]);
  state.ended();
  if (retry_after > 0) {
    Error error;
    error.retry_after = std::max(millis(retry_after), std::chrono::milliseconds(250));
    state.breaker().limited(call->trial, clock(), error, *error.retry_after);
    const double when = now_ + std::chrono::duration<double>(*error.retry_after).count();
    double& soonest = call->request->soonest;
    soonest = soonest == 0 ? when : std::min(soonest, when);
  } else {
    state.breaker().failed(call->trial, clock(), "failed", all_.settings());
  }
  goes_on(call->request);
}

}  // namespace causeway::routing::testing
