// Answers that replicas share through Redis: sealed, for the rest of their time, each under its own
// name. Whatever Redis does - slow, gone, full, lying - is a miss within its deadline, never an
// error; what cannot be put there at once is not put there.
//
// A clear is told in a stream that every replica reads each second (clears.h); what matches is
// taken out as well. A replica that could not read it for kDeaf gives nothing from Redis: it would
// not know what was cleared.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "features/traffic/cache/memory.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/base/task.h"

namespace causeway::net {
class Loop;
}
namespace causeway::redis {
class Client;
}

namespace causeway::cache {

/// Of all loops. May end behind the loops and their clients, when these do not run any more.
class Shared {
 public:
  static constexpr std::chrono::seconds kHearsEvery{1}, kDeaf{5}, kClearing{10};
  static constexpr std::size_t kMostPuts = 64, kMostPutBytes = 1024 * 1024;  // on their way, a loop
  static constexpr std::size_t kMostFinds = 256;                             // likewise

  /// Takes out what this replica keeps for itself and was made by then; on the first loop, which it
  /// must not hold up. False: too busy, it is to be called again.
  using Forget =
      std::function<bool(const std::string& tenant, const std::string& model, Wall made_by)>;
  Shared(const Secret& key, Memory& memory, const Clock& clock, Forget forget,
         std::chrono::milliseconds hears_every = kHearsEvery);
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  /// Before the loop's thread begins, the first one first.
  void attach(int index, net::Loop& loop, redis::Client& client);

  /// What was cleared while this process was not there has been heard of, or Redis has not answered
  /// for kCatchesUp since the start. Before that what was kept earlier is not given. Any thread.
  bool caught_up() const;
  static constexpr std::chrono::seconds kCatchesUp{2};

  /// Null where there is none, or none in time. One that is there lies in memory as well now.
  Task<std::shared_ptr<const Kept>> find(int loop, Key key, std::string tenant, std::string model);
  /// Does not wait; on the loop's thread.
  void put(int loop, const Key& key, const Kept& kept);

  struct Cleared {
    std::size_t removed = 0;
    bool all = true;  // false: some still lie there, which nobody gives who has heard of the clear
  };
  /// Tells the other replicas, and takes out what lies there; empty = of all. `done` is called on
  /// the first loop. Errors: redis::Client::command's; nobody was told then.
  using Done = std::move_only_function<void(Result<Cleared>)>;
  void clear(std::string tenant, std::string model, Done done);

  struct Stats {
    bool answers = false;  // Redis, on every loop, and clears are heard
    std::uint64_t hits = 0, misses = 0;
    std::uint64_t puts = 0, dropped = 0;  // too many at once, or there is no room
    std::uint64_t too_large = 0;
    std::uint64_t errors = 0;      // calls that Redis did not answer, or did not do
    std::uint64_t unreadable = 0;  // sealed with another key, of another version, changed
    std::uint64_t cleared = 0;     // found, but made before a clear
    std::uint64_t heard = 0;       // clears
    bool full = false;             // Redis has too little room for answers
  };
  /// From any thread.
  Stats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace causeway::cache
