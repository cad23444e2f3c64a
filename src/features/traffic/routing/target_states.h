// How each target fares, as seen by all loops: calls under way, how fast it answers, and whether it
// may be asked now. Outlives snapshots; found by Target::member_key. Safe from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/target.h"
#include "features/traffic/routing/breaker.h"
#include "features/traffic/routing/quota.h"
#include "platform/base/clock.h"

namespace causeway::routing {

/// What is shown of one target.
struct TargetView {
  std::string name, member;
  Breaker::State state = Breaker::State::Closed;
  std::string why;                    // it is not closed: the error's code
  std::chrono::milliseconds rest{0};  // still to go
  bool may_be_asked = true;           // also one that is open, if its rest is over
  Quota::View quota;                  // of its provider's member, as set here
  std::uint32_t in_flight = 0;
  std::optional<std::chrono::nanoseconds> usual;      // time of an answer, lately
  std::uint64_t calls = 0, failures = 0, opened = 0;  // since the start
};

/// Its state for people: one whose rest is over is "trying", also before somebody asks it.
std::string_view to_string(const TargetView& view);

class alignas(64) TargetState {
 public:
  explicit TargetState(const Target& target)
      : key_(target.member_key),
        quota_key_(target.quota_key),
        exposed_(target.exposed),
        name_(target.name),
        member_(target.member) {}

  Breaker& breaker() { return breaker_; }
  const Breaker& breaker() const { return breaker_; }

  void began(Monotonic now) {
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) > 0) return;
    busy_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void ended() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  /// Its provider said that nothing is left of a limit before then.
  void used_up(Monotonic until) {
    used_up_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }
  std::chrono::milliseconds used_up_for(Monotonic now) const {
    const Monotonic until{Monotonic::duration(used_up_until_.load(std::memory_order_relaxed))};
    return now < until ? std::chrono::ceil<std::chrono::milliseconds>(until - now)
                       : std::chrono::milliseconds(0);
  }
  /// How long an answer took that has just come to its end; behind ended().
  void answered_after(std::chrono::nanoseconds time, Monotonic now);
  /// Usual, lately: an average in which what is 10 s old weighs 1/e. Nothing = none has come yet.
  std::optional<std::chrono::nanoseconds> usual() const;
  /// Whether calls are under way, and none has been answered since.
  bool silent_since(Monotonic when) const {
    const std::int64_t last = std::max(last_answer_.load(std::memory_order_relaxed),
                                       busy_since_.load(std::memory_order_relaxed));
    return in_flight() > 0 && last < when.time_since_epoch().count();
  }
  /// How many calls were under way while that was so; 0 = no answer has come yet.
  double usual_in_flight() const { return usual_in_flight_.load(std::memory_order_relaxed); }
  /// When the last answer came; the clock's beginning where none has.
  Monotonic last_answer() const;

  std::uint64_t key() const { return key_; }  // Target::member_key
  std::uint64_t quota_key() const { return quota_key_; }
  bool exposed() const { return exposed_; }  // of names that callers choose
  const std::string& name() const { return name_; }
  const std::string& member() const { return member_; }
  /// `quota` may be null.
  TargetView view(Monotonic now, const Quota* quota) const;

 private:
  const std::uint64_t key_, quota_key_;
  const bool exposed_;
  const std::string name_, member_;
  Breaker breaker_;
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::int64_t> usual_{0};  // nanoseconds, 0 = none yet
  std::atomic<double> usual_in_flight_{0};
  std::atomic<std::int64_t> used_up_until_{0};  // of the clock
  std::atomic<std::int64_t> last_answer_{0};    // of the clock
  std::atomic<std::int64_t> busy_since_{0};     // of the clock: no call was under way before
};

/// Who waits for the quotas of one provider, and how it ended for those that had to
/// (Quota::Counts).
struct QuotaSums {
  std::size_t waiting = 0;
  std::uint64_t waited = 0, full = 0, late = 0, early = 0;
};

class TargetStates {
 public:
  static constexpr std::size_t kMost = 4096;
  /// Of the names that callers choose, the first have states of their own; further ones share their
  /// provider's, as "PROVIDER/*": no caller can use up the room of the configuration's targets.
  static constexpr std::size_t kMostExposed = 256;

  /// `clock` outlives this.
  explicit TargetStates(const Clock& clock) : clock_(clock) {}

  /// `quotas`: whether any provider has a quota of its own.
  void configure(const BreakerSettings& settings, bool quotas);
  /// Whether any has, or has had.
  bool any_quota() const { return quotas_known_.load(std::memory_order_relaxed); }
  BreakerSettings settings() const;
  /// Made when first asked for; nothing beyond kMost: such a target is asked as if all were well.
  std::shared_ptr<TargetState> of(const Target& target);
  /// Of a new configuration: forgets the targets that are not among these (Target::member_key),
  /// unless a call is under way. Names that callers choose stay; there are few.
  void keep(const std::unordered_set<std::uint64_t>& configured);
  /// Grows when some are forgotten.
  std::uint64_t generation() const { return generation_.load(std::memory_order_relaxed); }
  /// What is left of the quota with Target::quota_key; nothing beyond kMost.
  Quota* quota_of(const Target& target);
  /// By provider, of all of its members together: replicas come and go, their numbers stay.
  std::map<std::string, QuotaSums> quotas() const;
  /// What an active probe of this member of a provider says counts for all of its targets that are
  /// known: one that is not well is left alone, one that is again is tried at once.
  void probed(std::string_view provider, std::string_view member, bool well);
  /// By name and member.
  std::vector<TargetView> list() const;

 private:
  std::shared_ptr<TargetState> shared(const Target& target);

  const Clock& clock_;
  mutable std::mutex mutex_;
  BreakerSettings settings_;
  std::unordered_map<std::uint64_t, std::shared_ptr<TargetState>> states_;
  std::atomic<std::uint64_t> generation_{0};
  std::size_t exposed_ = 0;
  struct QuotaOf {
    std::string provider;
    Quota quota;
  };
  std::unordered_map<std::uint64_t, std::unique_ptr<QuotaOf>> quotas_;
  std::atomic<bool> quotas_known_{false};
};

}  // namespace causeway::routing
