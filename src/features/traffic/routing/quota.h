// What a provider lets one of its keys do in a minute: kept here, so that the provider need not
// refuse. A token bucket each for requests and for tokens, which holds ten seconds of the minute;
// and what the provider itself says in its answers' heads, where it says that nothing is left.
// Shared by all targets of the key, outlives snapshots. Safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "core/target.h"
#include "platform/base/clock.h"
#include "platform/http/message.h"

namespace causeway::routing {

/// Who goes first where there is not enough for all. The others leave a part of each bucket to
/// those above them.
enum class Priority : std::uint8_t { High, Normal, Low };

class Quota {
 public:
  /// Takes one request of so many tokens. Nothing = it may go now; else how long until it is worth
  /// asking again, and nothing was taken. A request of more tokens than the bucket holds goes when
  /// that is full.
  std::optional<std::chrono::milliseconds> take(const QuotaLimits& limits, std::uint64_t tokens,
                                                Priority priority, Monotonic now);
  /// What it really came to: the difference is given back, or owed.
  void settle(const QuotaLimits& limits, std::uint64_t estimated, std::uint64_t real);

 private:
  struct Bucket {
    double level = 0;  // what is there; below 0: owed
    bool filled = false;
    void fill(double capacity, double per_second, double seconds);
  };
  std::mutex mutex_;
  Bucket requests_, tokens_;
  Monotonic filled_{};
};

/// How long until a limit is there again of which an answer's head says that nothing is left
/// (x-ratelimit-* as of OpenAI, anthropic-ratelimit-*); at most a minute.
std::optional<std::chrono::milliseconds> until_left(std::span<const http::Field> fields);

}  // namespace causeway::routing
