// One model: the requests of it that are under way and those that wait, of all loops. One short
// lock: the order of those that wait, and the count, are exact over all loops, and nobody waits on
// one loop while another has a free place. Safe from any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "features/traffic/overload/config.h"
#include "features/traffic/overload/fair_queue.h"
#include "features/traffic/overload/limiter.h"

namespace causeway::overload {

struct Counts {
  std::atomic<std::uint64_t> waited{0}, full{0}, late{0}, early{0};
};

class Group {
 public:
  struct Entered {
    enum class Result : std::uint8_t { Goes, Waits, Full, TooLong } result;
    std::uint32_t in_flight = 0;            // Goes: with this one
    FairQueue::Place place{};               // Waits
    std::chrono::milliseconds expected{0};  // not Goes: until its turn, about
  };
  /// Waits: `wake` is called once, from any thread, under no lock; never for one that left before.
  /// It is made only where somebody has to wait.
  template <class MakeWake>
  Entered enter(int priority, std::string_view tenant, const OverloadSettings& settings,
                Monotonic now, MakeWake&& make_wake) {
    {
      const std::lock_guard lock(mutex_);
      bounds_ = {static_cast<double>(settings.least), static_cast<double>(settings.most),
                 settings.slower};
      if (queue_.size() == 0 && in_flight_ + 1 <= limiter_.limit(bounds_)) {
        return {Entered::Result::Goes, ++in_flight_};
      }
    }
    return wait(priority, tenant, settings, now, make_wake());
  }
  /// A request that had a place is over.
  void leave(Monotonic now);
  /// One that waits goes; false: it has been woken, or will be.
  bool give_up(const FairQueue::Place& place);
  void answered(std::size_t kind, std::chrono::nanoseconds took, std::uint32_t in_flight,
                Monotonic now);
  void refused(std::uint32_t in_flight, Monotonic now);

  struct View {
    double limit;
    std::uint32_t in_flight;
    std::size_t waiting;
  };
  View view() const;
  std::uint32_t in_flight() const {
    const std::lock_guard lock(mutex_);
    return in_flight_;
  }

 private:
  Entered wait(int priority, std::string_view tenant, const OverloadSettings& settings,
               Monotonic now, FairQueue::Wake wake);
  std::chrono::milliseconds expected(std::size_t before) const;
  std::vector<FairQueue::Wake> take_turns();

  mutable std::mutex mutex_;
  Limiter::Bounds bounds_;  // of whoever came last
  Limiter limiter_;
  FairQueue queue_;
  std::uint32_t in_flight_ = 0;
  Monotonic last_leave_{};
  double between_ = 0;  // seconds between two that end, lately
};

}  // namespace causeway::overload
