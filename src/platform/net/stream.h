// The byte stream that HTTP is spoken over: plain TCP, a Unix socket, or TLS above one of these. An
// operation is started with an Op that lives in the caller's coroutine frame; what can be done at
// once is done at once and does not go through the scheduler. At most one read (or wait) and one
// write may be in progress; the stream must outlive them: cancel, then await their end.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "platform/base/error.h"
#include "platform/net/address.h"

namespace causeway::net {

class Loop;

/// One operation in progress. By default its end resumes `waiter`; whoever wants a callback instead
/// sets `complete`.
struct Op {
  std::coroutine_handle<> waiter;
  void (*complete)(Op&) = [](Op& op) { std::exchange(op.waiter, {}).resume(); };
  std::error_code error;
  std::size_t bytes = 0;

  void finish(std::error_code with, std::size_t count) {
    error = with;
    bytes = count;
    complete(*this);
  }
};

class Stream {
 public:
  virtual ~Stream() = default;

  /// Each returns true when the operation has ended already: error and bytes are in `op` and
  /// complete is not called. Otherwise complete is called later, from the loop, never inside this
  /// call nor inside cancel().

  /// Reads what is there, at least one byte; `bytes` 0 without an error is the orderly end.
  virtual bool start_read(Op& op, std::span<char> into) = 0;
  /// Writes all pieces, in as few system calls as possible. The array and what it points to must
  /// live until the end. While it is in progress `op.bytes` tells how far it is.
  virtual bool start_write(Op& op, std::span<const std::string_view> pieces) = 0;
  /// Waits until a read would not wait (bytes, end or error); takes no buffer.
  virtual bool start_wait(Op& op) = 0;

  /// Ends the operations in progress with std::errc::operation_canceled.
  virtual void cancel() = 0;
  /// As cancel(), and closes the descriptor. Idempotent.
  virtual void close() = 0;
  /// No more will be written (FIN); the other direction stays open. Best effort.
  virtual void shutdown_write() = 0;
};

/// A plain socket.
class Socket : public Stream {
 public:
  /// Makes a socket of that family and connects it; ends like the other operations.
  virtual bool start_connect(Op& op, const Address& address) = 0;
  virtual bool start_wait_writable(Op& op) = 0;
  virtual int descriptor() const = 0;
};

/// A socket without a descriptor yet, for start_connect().
std::unique_ptr<Socket> make_socket(Loop& loop);
/// Takes over a connected descriptor (made non-blocking; TCP_NODELAY where it is TCP).
std::unique_ptr<Socket> adopt_socket(Loop& loop, int descriptor);

struct IoResult {
  std::error_code error;
  std::size_t bytes = 0;
  explicit operator bool() const { return !error; }
};

namespace detail {
template <class Start>
struct [[nodiscard]] IoAwaiter {
  Start start;
  Op op{};
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    op.waiter = waiter;
    return !start(op);
  }
  IoResult await_resume() const noexcept { return {op.error, op.bytes}; }
};
template <class Start>
IoAwaiter(Start) -> IoAwaiter<Start>;
}  // namespace detail

/// `auto [error, bytes] = co_await read(stream, buffer);`
inline auto read(Stream& stream, std::span<char> into) {
  return detail::IoAwaiter{[&stream, into](Op& op) { return stream.start_read(op, into); }};
}
inline auto write(Stream& stream, std::span<const std::string_view> pieces) {
  return detail::IoAwaiter{[&stream, pieces](Op& op) { return stream.start_write(op, pieces); }};
}
inline auto wait_readable(Stream& stream) {
  return detail::IoAwaiter{[&stream](Op& op) { return stream.start_wait(op); }};
}
inline auto connect(Socket& socket, const Address& address) {
  return detail::IoAwaiter{
      [&socket, address](Op& op) { return socket.start_connect(op, address); }};
}

}  // namespace causeway::net
