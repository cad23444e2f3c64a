// A descriptor in the loop's epoll set. Asio's public wait makes a system call (epoll_ctl) each
// time, its public read tries a receive that mostly hears "try again": 0.5 to 1 µs of a
// request's 14. Its own operations need neither, since the set is edge-triggered; so this is one of
// them, over the reactor's internal interface. Nothing else of the program uses asio::detail.
#pragma once

#include "platform/net/detail/loop_impl.h"  // Asio's internal headers want io_context first

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/version.hpp>
#include <memory>
#include <system_error>

namespace causeway::net {

static_assert(BOOST_VERSION / 100 == 1081,
              "readiness.{h,cpp} use asio::detail::reactor as of Boost 1.81: compare start_op(), "
              "cancel_ops() and reactor_op before this check is changed");

class Readiness {
 public:
  enum Direction : int {
    kRead = asio::detail::reactor::read_op,
    kWrite = asio::detail::reactor::write_op
  };
  enum class Since : bool {
    Now,       // asks the kernel, which costs a system call: readiness of any age is seen
    LastWait,  // sees only what became ready since the last wait ended
  };

  class Listener {
   public:
    /// From the loop, never inside wait() or cancel(). The descriptor may be ready no more.
    virtual void ready(Direction direction, std::error_code error) = 0;

   protected:
    ~Listener() = default;
  };

  Readiness(LoopImpl& loop, Listener& listener);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  /// Takes over the descriptor (must be non-blocking); on an error it stays the caller's.
  std::error_code open(int descriptor);
  /// Waits in progress end with operation_canceled; the descriptor is closed.
  void close();
  void cancel();
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  /// Whether an error or a hang-up has been reported and is there: a reset, for one, that comes
  /// together with bytes and has no edge of its own.
  bool has_hung_up();

  /// One at a time in each direction.
  void wait(Direction direction, Since since);

 private:
  class Operation;
  asio::detail::reactor& reactor_;
  asio::detail::reactor::per_descriptor_data data_ = nullptr;
  int descriptor_ = -1;
  // Of the heap: one that is still queued in the loop outlives its socket.
  std::unique_ptr<Operation> read_;
  std::unique_ptr<Operation> write_;
};

}  // namespace causeway::net
