// What a Loop is made of. Includes Asio: only for the .cpp files of platform/net and platform/http.
#pragma once

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <vector>

#include "platform/net/detail/pulse.h"
#include "platform/net/loop.h"

namespace causeway::net {

namespace asio = boost::asio;

struct LoopImpl {
  struct Periodic {
    asio::steady_timer timer;
    std::chrono::milliseconds period;
    std::move_only_function<void()> action;
  };

  // "Unsafe I/O": descriptors are touched by the loop's thread only and need no locks; the queue
  // behind post() keeps its lock.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::list<Periodic> periodic;
  Pulse pulse;
  asio::steady_timer pulse_timer{context};
  void await_pulse(Monotonic due);
  SweepList swept;
  std::uint64_t turn = 0;  // counts what the sockets were woken for

  /// Waits until something is ready, unless somebody in the back can go on; false after stop().
  bool begin_turn();
  /// What is ready now, then the cohorts, then the back rows.
  void finish_turn();
  void run_cohorts();
  void serve_back_rows();
  bool someone_in_back() const { return !back_rows[0].empty() || !back_rows[1].empty(); }
  std::array<std::vector<std::coroutine_handle<>>, Loop::kCohorts> cohorts;
  std::array<std::deque<std::coroutine_handle<>>, 2> back_rows;  // by Loop::BackRow
  std::chrono::steady_clock::time_point back_served;             // when, if someone stayed in them
  bool crowded = false;  // several sockets are ready in a turn
  unsigned turns = 0;
};

}  // namespace causeway::net
