#include "features/traffic/routing/target_states.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace causeway::routing {
namespace {

using std::chrono::nanoseconds;

constexpr double kMemoryNanos = 10e9;  // of the average

bool is_of(std::string_view target, std::string_view provider) {
  return target.size() > provider.size() && target.starts_with(provider) &&
         target[provider.size()] == '/';
}

}  // namespace

// Two loops at once may lose one's answer, which an average can bear.
void TargetState::answered_after(nanoseconds time, Monotonic now) {
  const std::int64_t at = now.time_since_epoch().count();
  const std::int64_t before = last_answer_.exchange(at, std::memory_order_relaxed);
  const std::int64_t usual = usual_.load(std::memory_order_relaxed);
  const std::int64_t measured = std::max<std::int64_t>(1, time.count());
  const double calls = in_flight() + 1.0;
  if (usual == 0) {
    usual_in_flight_.store(calls, std::memory_order_relaxed);
    return usual_.store(measured, std::memory_order_relaxed);
  }
  // At least a twentieth, so that a target that is asked often is not known by its past alone.
  const double old =
      std::exp(-static_cast<double>(std::max<std::int64_t>(0, at - before)) / kMemoryNanos);
  const double weight = std::max(0.05, 1 - old);
  const double mean =
      static_cast<double>(usual) * (1 - weight) + static_cast<double>(measured) * weight;
  usual_.store(std::max<std::int64_t>(1, std::llround(mean)), std::memory_order_relaxed);
  usual_in_flight_.store(usual_in_flight() * (1 - weight) + calls * weight,
                         std::memory_order_relaxed);
}

std::optional<nanoseconds> TargetState::usual() const {
  const auto usual = usual_.load(std::memory_order_relaxed);
  if (usual == 0) return std::nullopt;
  return nanoseconds(usual);
}

Monotonic TargetState::last_answer() const {
  return Monotonic(Monotonic::duration(last_answer_.load(std::memory_order_relaxed)));
}

std::string_view to_string(const TargetView& view) {
  const bool rested = view.state == Breaker::State::Open && view.may_be_asked;
  return to_string(rested ? Breaker::State::Trying : view.state);
}

TargetView TargetState::view(Monotonic now, const Quota* quota) const {
  TargetView view;
  view.name = name_;
  view.member = member_;
  view.state = breaker_.state();
  if (view.state != Breaker::State::Closed) view.why = breaker_.why();
  view.rest = breaker_.rest_left(now);
  view.may_be_asked = breaker_.admits(now);
  if (quota) view.quota = quota->view(now);
  if (const auto wait = used_up_for(now); wait > view.rest) {
    view.rest = wait;
    view.why = "upstream_quota";
  }
  view.in_flight = in_flight();
  view.usual = usual();
  view.calls = breaker_.calls();
  view.failures = breaker_.failures();
  view.opened = breaker_.opened();
  return view;
}

void TargetStates::configure(const BreakerSettings& settings, bool quotas) {
  if (quotas) quotas_known_.store(true, std::memory_order_relaxed);
  const std::lock_guard guard(mutex_);
  settings_ = settings;
}

BreakerSettings TargetStates::settings() const {
  const std::lock_guard guard(mutex_);
  return settings_;
}

std::shared_ptr<TargetState> TargetStates::of(const Target& target) {
  const std::lock_guard guard(mutex_);
  const auto found = states_.find(target.member_key);
  if (found != states_.end()) return found->second;
  if (target.exposed && exposed_ >= kMostExposed) return shared(target);
  if (states_.size() >= kMost) return nullptr;
  exposed_ += target.exposed;
  return states_.emplace(target.member_key, std::make_shared<TargetState>(target)).first->second;
}

void TargetStates::keep(const std::unordered_set<std::uint64_t>& configured) {
  const std::lock_guard guard(mutex_);
  const auto forgotten = std::erase_if(states_, [&](const auto& entry) {
    const TargetState& state = *entry.second;
    return !state.exposed() && state.in_flight() == 0 && !configured.contains(entry.first);
  });
  if (forgotten > 0) generation_.fetch_add(1, std::memory_order_relaxed);
}

// There is one for each provider's member at most.
std::shared_ptr<TargetState> TargetStates::shared(const Target& target) {
  const std::string name = target.name.substr(0, target.name.find('/')) + "/*";
  Target of_all = make_target(name, nullptr, "*", 1, target.member);
  of_all.exposed = true;
  of_all.quota_key = target.quota_key;
  auto& state = states_[of_all.member_key];
  if (!state) state = std::make_shared<TargetState>(of_all);
  return state;
}

Quota* TargetStates::quota_of(const Target& target) {
  const std::lock_guard guard(mutex_);
  const auto found = quotas_.find(target.quota_key);
  if (found != quotas_.end()) return &found->second->quota;
  if (quotas_.size() >= kMost) return nullptr;
  auto made = std::make_unique<QuotaOf>();
  made->provider = target.name.substr(0, target.name.find('/'));
  return &quotas_.emplace(target.quota_key, std::move(made)).first->second->quota;
}

std::map<std::string, QuotaSums> TargetStates::quotas() const {
  std::map<std::string, QuotaSums> all;
  const std::lock_guard guard(mutex_);
  for (const auto& [key, of] : quotas_) {
    const auto view = of->quota.view(clock_.now());
    if (!view.limited) continue;
    const Quota::Counts& counts = of->quota.counts;
    QuotaSums& sums = all[of->provider];
    sums.waiting += view.waiting;
    sums.waited += counts.waited;
    sums.full += counts.full;
    sums.late += counts.late;
    sums.early += counts.early;
  }
  return all;
}

void TargetStates::probed(std::string_view provider, std::string_view member, bool well) {
  const std::lock_guard guard(mutex_);
  for (const auto& [key, state] : states_) {
    if (state->member() != member || !is_of(state->name(), provider)) continue;
    state->breaker().probed(well, clock_.now(), settings_);
  }
}

std::vector<TargetView> TargetStates::list() const {
  std::vector<TargetView> all;
  const std::lock_guard guard(mutex_);
  for (const auto& [key, state] : states_) {
    const auto found = quotas_.find(state->quota_key());
    const Quota* quota = found == quotas_.end() ? nullptr : &found->second->quota;
    all.push_back(state->view(clock_.now(), quota));
  }
  std::ranges::sort(all, {},
                    [](const TargetView& view) { return std::tie(view.name, view.member); });
  return all;
}

}  // namespace causeway::routing
