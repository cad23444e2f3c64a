// Which target is tried next, and when: first each one in the order chosen, then those again that
// may do better after a pause. The attempt loop asks; what it does is its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/exchange.h"
#include "exchange/retry_budget.h"
#include "exchange/settings.h"

namespace causeway::exchange {

/// Whether another target may do better. Faults of the connection and of the answer always; what
/// the provider said by its error's class.
bool may_try_another(const Error& error, const RetrySettings& settings);
/// Whether the same target may, asked once more. Where it may have worked on the request, only if
/// the settings allow that (`unsure`).
bool may_ask_again(const Attempt& attempt, const RetrySettings& settings);

class Tries {
 public:
  struct Next {
    const Target* target = nullptr;  // null: give up
    std::chrono::milliseconds wait{0};
  };

  Tries(const Exchange& exchange, const RetrySettings& settings, RetryBudget& budget)
      : exchange_(exchange), settings_(settings), budget_(budget) {}

  /// The first one; null where there is none.
  const Target* first(Monotonic now);
  /// What comes after an attempt that failed. `left`: until the request's time is up.
  Next after(const Attempt& failed, Monotonic now, std::chrono::milliseconds left);

 private:
  struct Tried {
    const Target* target;
    std::uint32_t sent = 0;
    Monotonic ready{};       // when it is worth asking again
    bool again = false;      // it may be
    bool told_when = false;  // by the target itself: no retry of ours
    bool in_line = false;    // it waits there, when it comes back
  };
  void note(const Attempt& failed, Monotonic now);
  const Target* next_untried(const Attempt& failed, Monotonic now);
  Next again(Monotonic now, std::chrono::milliseconds left);

  const Exchange& exchange_;
  const RetrySettings& settings_;
  RetryBudget& budget_;
  std::size_t next_ = 0;  // of exchange.targets
  std::vector<Tried> tried_;
  std::uint32_t sent_ = 0;
  std::chrono::milliseconds waited_{0};
};

}  // namespace causeway::exchange
