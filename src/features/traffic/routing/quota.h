// What a provider lets one of its keys do in a minute: kept here, so that the provider need not
// refuse. A token bucket each for requests and for tokens, which holds ten seconds of the minute;
// and what the provider itself says in its answers' heads, where it says that nothing is left.
// Where there is not enough, requests stand in line: by priority, then fairly by tenant, each until
// its own deadline. Shared by all targets of the key, outlives snapshots. Safe from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/target.h"
#include "platform/base/clock.h"
#include "platform/http/message.h"
#include "platform/queue/fair_queue.h"

namespace causeway::routing {

/// Who goes first where there is not enough for all. The others leave a part of each bucket to
/// those above them.
enum class Priority : std::uint8_t { High, Normal, Low };

class Quota {
 public:
  static constexpr std::size_t kMostWaiting = 1000;
  /// Called once, from any thread, under no lock; never for one that left before.
  using Wake = std::move_only_function<void(queue::End)>;

  /// One request of so many tokens.
  struct Wanted {
    QuotaLimits limits;
    std::uint64_t tokens = 0;
    Priority priority = Priority::Normal;
  };

 private:
  struct Waiting {
    Wanted wanted;
    Wake wake;
  };
  using Line = queue::FairQueue<Waiting>;

 public:
  using Place = Line::Place;
  struct Entered {
    enum class Result : std::uint8_t { Goes, Waits, Full, TooLong } result;
    Place place{};                          // Waits
    std::chrono::milliseconds expected{0};  // not Goes: until its turn, about
  };

  /// Takes one request of so many tokens. Nothing = it may go now; else how long until its turn,
  /// about, and nothing was taken: there is not enough, or others wait who go first. A request of
  /// more tokens than the bucket holds goes when that is full.
  std::optional<std::chrono::milliseconds> take(const QuotaLimits& limits, std::uint64_t tokens,
                                                Priority priority, Monotonic now);
  /// The same, and where it may not go now it stands in line, for as long as `patience`; it is
  /// woken when its part was taken. `wake` is made only then.
  template <class MakeWake>
  Entered enter(const Wanted& wanted, std::string_view tenant, std::chrono::milliseconds patience,
                Monotonic now, MakeWake&& make_wake) {
    {
      const std::lock_guard guard(mutex_);
      if (goes(wanted, now)) return {Entered::Result::Goes};
    }
    return wait(wanted, tenant, patience, now, make_wake());
  }
  /// One that waits goes. Nothing where it has been woken or will be.
  void give_up(const Place& place, Monotonic now);
  /// Wakes whoever may go now. Somebody must call it from time to time while anybody waits.
  void wake(Monotonic now);
  /// What was taken and is not used.
  void give_back(const Wanted& wanted, Monotonic now);
  std::size_t waiting() const;
  /// What is shown of it. Without a limit nothing: both are 0.
  struct View {
    bool limited = false;
    std::size_t waiting = 0;
    std::chrono::milliseconds wait{0};  // until the turn of one like the last; 0 = it may go now
    bool used_up() const { return waiting > 0 || wait.count() > 0; }
  };
  View view(Monotonic now) const;
  /// Of those that stood in line, or could not, since the start.
  struct Counts {
    std::atomic<std::uint64_t> waited{0}, full{0}, late{0}, early{0};
  } counts;
  /// What it really came to: the difference is given back, or owed.
  void settle(const QuotaLimits& limits, std::uint64_t estimated, std::uint64_t real);

 private:
  struct Bucket {
    double level = 0;  // what is there; below 0: owed
    bool filled = false;
    void fill(double capacity, double per_second, double seconds);
  };
  void fill(const QuotaLimits& limits, Monotonic now);
  double seconds_until(const Wanted& wanted, std::size_t before) const;
  bool goes(const Wanted& wanted, Monotonic now);
  Entered wait(const Wanted& wanted, std::string_view tenant, std::chrono::milliseconds patience,
               Monotonic now, Wake wake);

  mutable std::mutex mutex_;
  Bucket requests_, tokens_;
  Monotonic filled_{};
  Line line_;
  std::map<std::string, queue::Share, std::less<>> shares_;  // of tenants that wait
  std::uint64_t tokens_waiting_ = 0;                         // of all who do
  Wanted last_;                                              // by whoever came last
};

/// How long until a limit is there again of which an answer's head says that nothing is left
/// (x-ratelimit-* as of OpenAI, anthropic-ratelimit-*); at most a minute.
std::optional<std::chrono::milliseconds> until_left(std::span<const http::Field> fields);

}  // namespace causeway::routing
