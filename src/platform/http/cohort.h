// The stretches of a request's way through a loop, in order. Those that are in the same stretch at
// the same time go through it together (Loop::join says why).
#pragma once

#include <coroutine>
#include <cstdint>

#include "platform/net/loop.h"

namespace causeway::http {

enum class Cohort : std::uint8_t {
  Heads,     // a request has arrived: its head
  Bodies,    // its body is read
  Calls,     // what is to be sent to whom
  Answers,   // an answer has arrived: its head
  Contents,  // its body is read
  Replies,   // what is to be sent back
  Sends,     // system calls, both directions
  Ends,      // accounts of what has ended
};
static_assert(static_cast<std::size_t>(Cohort::Ends) + 1 == net::Loop::kCohorts);

/// What one may bring along: with more, the bytes of the first would have left the data cache when
/// the last has come.
constexpr std::size_t kCohortBytes = 8 * 1024;

/// `co_await together(loop, Cohort::Calls, bytes);` Goes on at once with many bytes, and without a
/// loop (tests).
struct [[nodiscard]] Together {
  net::Loop* loop;
  Cohort cohort;
  bool await_ready() const noexcept { return loop == nullptr; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    loop->join(static_cast<std::size_t>(cohort), waiter);
  }
  void await_resume() const noexcept {}
};
inline Together together(net::Loop* loop, Cohort cohort, std::size_t bytes) {
  return {bytes <= kCohortBytes ? loop : nullptr, cohort};
}

}  // namespace causeway::http
