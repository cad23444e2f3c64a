// A client of Redis for one event loop: one connection, commands of a loop turn in one write, a
// deadline and a breaker on every call. Whatever Redis does - slow, stopped, gone, read-only, full
// - a call ends within its deadline, and after a few failures at once. No threads, nothing blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/redis/reply.h"
#include "platform/redis/settings.h"

namespace causeway::net {
class Loop;
}

namespace causeway::redis {

/// Calls that are running end with Cancelled when it is destroyed, which lets the loop run for a
/// moment.
class Client {
 public:
  virtual ~Client() = default;

  /// Sends a command and waits for its reply; `args` must live until then. An error that Redis
  /// answers to this command alone (WRONGTYPE, NOSCRIPT) is a Reply of kind Error. Errors:
  /// - Timeout (shared_state_timeout): not answered in time. What comes later is thrown away, what
  ///   had not been sent yet is not sent any more;
  /// - Unavailable (shared_state_lost): the breaker is open, the connection is gone, or Redis does
  ///   not serve (READONLY, LOADING, OOM, NOPERM ...);
  /// - Overloaded (shared_state_full): too much is waiting;
  /// - Cancelled: the client ends.
  /// Of Origin::Us, it has certainly not been done; of Origin::Upstream, it may have been.
  virtual Task<Result<Reply>> command(std::span<const std::string_view> args) = 0;

  /// Whether calls have a chance now. From any thread.
  virtual bool answers() const = 0;

  struct Stats {
    std::uint64_t commands = 0, failures = 0, timeouts = 0, refused = 0, late = 0, connects = 0,
                  writes = 0;
    std::size_t outstanding = 0;
  };
  /// From any thread. `refused`: by the breaker or because too much waits; `late`: replies that
  /// were thrown away.
  virtual Stats stats() const = 0;
  /// Why it does not answer, for the log; on the loop's thread only.
  virtual std::string last_failure() const = 0;
};

/// `on_change(answers)` is called once per change: the first time when it is known whether Redis
/// answers. That is what is to be logged, nothing else.
std::unique_ptr<Client> make_client(net::Loop& loop, Settings settings,
                                    std::function<void(bool answers)> on_change);

}  // namespace causeway::redis
