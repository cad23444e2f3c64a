// One request and its answer, as the exchange sees them. HTTP/1.1 over a socket is one
// implementation, a stream in memory (ask(), tests) another; HTTP/2 would be a third. All calls
// come from the stream's own loop. Views given out live until the stream ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/http/message.h"

namespace causeway::http {

class ServerStream {
 public:
  /// Bytes that may be read (not written) behind a body, as simdjson needs them.
  static constexpr std::size_t kPadding = 64;

  virtual ~ServerStream() = default;

  virtual const RequestHead& head() const = 0;

  /// The caller's address as text, "127.0.0.1" or "::1"; "" when there is none (ask()).
  virtual std::string_view peer() const = 0;

  /// The whole body in one piece, with kPadding readable bytes behind it. Sends "100 Continue"
  /// first where the client waits for it. Errors: TooLarge above `limit` bytes, Timeout, Cancelled
  /// when the client left, Overloaded when the core's budget of buffered bytes is used up.
  virtual Task<Result<std::string_view>> read_body(std::size_t limit) = 0;

  /// The next piece of a body that is passed on as it comes; empty at its end. The piece lives
  /// until the next call. Reading pauses between calls: that is the back-pressure.
  virtual Task<Result<std::string_view>> read_some() = 0;

  /// Says how much memory the making of the answer keeps beside the body: taken from the core's
  /// budget of buffered bytes, in the place of what was said before, until the request is over.
  /// False: the budget is used up, and nothing has changed.
  virtual bool hold(std::size_t bytes) = 0;

  /// The whole answer: head (with its Content-Length) and body in one gathered write. `body` pieces
  /// are joined as they are. Errors: Cancelled when the client left, Timeout when it does not read.
  virtual Task<Result<void>> reply(int status, std::span<const Field> fields,
                                   std::span<const std::string_view> body) = 0;

  /// The head of an answer whose length is not known. It is kept and sent together with the first
  /// write, so that it costs no packet of its own.
  virtual void begin(int status, std::span<const Field> fields) = 0;

  /// Sends the pieces now, as one chunk; waits while the client is slow. Errors as of reply().
  virtual Task<Result<void>> write(std::span<const std::string_view> pieces) = 0;

  /// The orderly end of a begun answer.
  virtual Task<Result<void>> finish() = 0;

  /// Ends a begun answer so that the client sees that it was cut (no last chunk, connection
  /// closed).
  virtual void abort() = 0;

  /// How long this request has waited for its client so far: for the rest of its body to arrive,
  /// and for it to take the answer. Zero where nobody is waited for.
  virtual std::chrono::nanoseconds waited() const { return {}; }

  /// Whether any byte of the answer has been handed to the client's connection.
  virtual bool begun() const = 0;

  /// Whether the client has gone away (its side closed while the answer was still being made).
  virtual bool gone() const = 0;

  /// Called once, from the loop, when the client goes away; at once if it is gone already.
  virtual void on_gone(std::move_only_function<void()> action) = 0;
};

}  // namespace causeway::http
