// One target: the requests to it that are under way and those that wait, of all loops. One short
// lock: the order of those that wait, and the count, are exact over all loops, and nobody waits on
// one loop while another has a free place. Safe from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/traffic/overload/config.h"
#include "features/traffic/overload/limiter.h"
#include "platform/queue/fair_queue.h"

namespace causeway::overload {

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>()(name);
  }
};

using queue::End, queue::Share;

/// A place at the model.
struct Turn {
  Share* share = nullptr;
  Limiter::Start start;
};

using Wake = std::move_only_function<void(End, Turn)>;
using Queue = queue::FairQueue<Wake>;

struct Counts {
  std::atomic<std::uint64_t> waited{0}, full{0}, late{0}, early{0};
};

class Group {
 public:
  explicit Group(std::string target = {}) : target_(std::move(target)) {}
  struct Entered {
    enum class Result : std::uint8_t { Goes, Waits, Full, TooLong } result;
    Turn turn{};                            // Goes
    Queue::Place place{};                   // Waits
    std::chrono::milliseconds expected{0};  // not Goes: until its turn, about
  };
  /// `patience`: how long it may wait. Waits: `wake` is called once, from any thread, under no
  /// lock; never for one that left before. It is made only where somebody has to wait.
  template <class MakeWake>
  Entered enter(int priority, std::string_view tenant, const OverloadSettings& settings,
                std::chrono::milliseconds patience, Monotonic now, MakeWake&& make_wake) {
    {
      const std::lock_guard lock(mutex_);
      Share& share = share_of(tenant, settings, now);
      if (may_go(priority, share)) return {Entered::Result::Goes, begin(share, now)};
    }
    return wait(priority, tenant, settings, patience, now, make_wake());
  }
  /// How long the target took for an answer of one kind.
  struct Answer {
    Limiter::Kind kind;
    std::chrono::nanoseconds took;
  };
  /// A request that had a place is over; nothing where its answer says nothing about the target.
  void leave(const Turn& turn, std::optional<Answer> answer, Monotonic now);
  /// One that waits goes. Nothing, where it has been woken or will be.
  void give_up(const Queue::Place& place, Monotonic now);
  void refused(const Turn& turn, Monotonic now);

  struct View {
    double limit;
    std::uint32_t in_flight;
    std::size_t waiting;
    bool unlimited;                      // no limit is known, and none has been needed
    std::chrono::milliseconds expected;  // until the turn of a newcomer behind all, about
  };
  View view() const;
  struct TenantView {
    std::string name;
    std::uint32_t in_flight, waiting;
  };
  /// Of those that have anything here now: who has the most waiting first, at most `most`.
  std::vector<TenantView> tenants(std::size_t most) const;

 private:
  using Shares = std::unordered_map<std::string, Share, NameHash, std::equal_to<>>;
  Share& share_of(std::string_view tenant, const OverloadSettings& settings, Monotonic now);
  void forget(Monotonic now);
  bool fits(const Share& share) const;
  bool may_go(int priority, const Share& share) const {
    return queue_.first() >= priority && fits(share);
  }
  Turn begin(Share& share, Monotonic now);
  Entered wait(int priority, std::string_view tenant, const OverloadSettings& settings,
               std::chrono::milliseconds patience, Monotonic now, Wake wake);
  std::chrono::milliseconds expected(std::size_t before) const;
  std::vector<std::pair<Wake, Turn>> take_turns(Monotonic now);

  const std::string target_;
  mutable std::mutex mutex_;
  Limiter::Bounds bounds_;  // of whoever came last
  Limiter limiter_;
  Queue queue_;
  Shares shares_;       // of tenants that were here lately
  double weights_ = 0;  // theirs together
  Monotonic forgot_{};
  std::uint32_t in_flight_ = 0;
  double held_ = 0;  // seconds that a place is held, about
};

}  // namespace causeway::overload
