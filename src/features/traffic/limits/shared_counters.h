// What everybody has had, counted for all replicas together in Redis: one script takes all that a
// request wants or nothing of it, by Redis's own clock; another one puts what it has really come to
// in the place of what was reserved. The numbers are whole and exact up to 2^53.
//
// What was spent in a day or month is told as each replica's own total: what cannot be told now is
// told later, and a Redis that has lost its data is told again (on_return).
//
// What a process reserved that died (kill -9) comes back: each reservation stands in the list of
// its holder, a holder has a lease of 30 s that each of its calls and a heartbeat renew, and
// whoever calls next takes back what a holder had of budgets and places whose lease has run out.
// What it took of a window stays: it may have been sent. A reservation of which nobody knows
// whether it was made (its reply never came) is undone as soon as Redis answers; should it arrive
// behind that, it is refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/task.h"

namespace causeway::net {
class Loop;
}
namespace causeway::redis {
class Client;
}

namespace causeway::limits {

enum class SharedKind : std::uint8_t {
  Window,      // 60 slots; an amount counts until its slot has left the window as a whole
  Period,      // a day or month, told apart by its end
  Concurrent,  // until it is settled
};

/// One amount of one limit. `key` says limit and subject: 1 to 256 bytes.
struct SharedAmount {
  std::string key;
  SharedKind kind = SharedKind::Window;
  std::int64_t most = 0, amount = 1;  // 0 to 2^53
  std::int64_t window_ms = 0;         // of Window: 1 s at least
  std::int64_t burst = 0;             // of Window: so many at once, 0 = all
  std::int64_t owed = 0;   // of Window: what was taken without asking, counted with this call
  std::int64_t ends = 0;   // of Period: seconds of the epoch
  std::int64_t spent = 0;  // of Period: what this replica has spent in it so far
};

/// What the others are to know: of a Period what this replica has spent there in all, of a Window
/// what it has taken there since it last asked.
struct SharedNews {
  SharedKind kind = SharedKind::Period;
  std::string key;
  std::int64_t when = 0;  // the period's end, seconds of the epoch; or the window's length in ms
  std::int64_t amount = 0;
};

/// How one limit stands, this request included where it was granted.
struct SharedStanding {
  std::int64_t used = 0;
  /// Of one that refuses: until it is worth asking again. Of others: until something is free again,
  /// where all is used. -1: not known, or never.
  std::int64_t wait_ms = 0;
};

/// What must be kept to settle.
struct SharedReservation {
  struct Part {
    SharedKind kind = SharedKind::Window;
    std::string key;
    std::int64_t ends = 0;  // of Period
  };
  std::string holder, id;
  std::vector<Part> parts;
};

struct SharedVerdict {
  bool granted = false;
  std::size_t which = 0;                  // the first that refuses
  std::vector<SharedStanding> standings;  // of each that was wanted
  SharedReservation reservation;          // where it was granted
};

/// Of one loop, on its thread. May end behind the loop and the client, when neither runs any more.
class SharedCounters {
 public:
  struct Options {
    std::string replica = "alone";  // whose totals are told; 1 to 64 bytes
    std::chrono::milliseconds lease{30'000};
    std::function<std::int64_t()> now_us = nullptr;  // for tests, in the place of Redis's clock
  };
  SharedCounters(net::Loop& loop, redis::Client& client, Options options);
  SharedCounters(net::Loop& loop, redis::Client& client);
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  /// At most kMost at once. Errors are redis::Client::command's, within its deadline; nothing is
  /// reserved then, or it is undone later. Also Unavailable (shared_state_lost) while too much
  /// waits to be undone, and Internal for what cannot be counted.
  static constexpr std::size_t kMost = 16;
  Task<Result<SharedVerdict>> reserve(std::span<const SharedAmount> wanted);

  /// What each part has really come to, in the slot where it was reserved, and of periods what the
  /// replica has spent there in all; 0 gives it back whole, nothing leaves it for a later call.
  /// Does not wait; is tried again until it is done.
  void settle(const SharedReservation& reservation,
              std::span<const std::optional<std::int64_t>> real);

  /// Likewise.
  void tell(std::span<const SharedNews> news);

  /// Redis answers for the first time or again, or has lost its data: everything is to be told.
  void on_return(std::function<void()> action);

  /// Whether all are counted together now. When Redis comes back, not before kSettling: until then
  /// each replica tells what it took meanwhile. Any thread.
  bool answers() const;
  /// The same for a request that is about to ask, on the loop's thread: should Redis be away, it is
  /// noted, however soon it comes back.
  bool may_be_asked();
  static constexpr std::chrono::milliseconds kSettling{1000};
  /// How many replicas there were when Redis last said; 0 = it never did. Any thread.
  std::int64_t replicas() const;

  struct Stats {
    std::size_t pending = 0;    // to be settled or undone again
    std::uint64_t dropped = 0;  // of these, for want of room: their lease lets them go
  };
  Stats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace causeway::limits
