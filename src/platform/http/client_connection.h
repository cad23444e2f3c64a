// One connection to an upstream: its stream, its buffer, and the read and the write that may be in
// progress on it. The read that watches an idle connection for its end is the same one that takes
// the next answer, so that a call costs one send and one receive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/task.h"
#include "platform/http/detail/parser.h"
#include "platform/net/stream.h"

namespace causeway::http {

class Connection;

/// Whom a connection tells that it has no operation in progress any more, or that bytes or the end
/// came while nobody used it. May destroy the connection.
class ConnectionOwner {
 public:
  virtual void idle_ended(Connection& connection) = 0;
  virtual void close_ended(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// Bytes, of which the last kPadding are only there to be read over.
class Buffer {
 public:
  static constexpr std::size_t kPadding = 64;

  explicit Buffer(std::size_t size) { resize(size, 0); }
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::span<char> from(std::size_t at) { return {bytes_.get() + at, size_ - at}; }
  std::string_view view(std::size_t begin, std::size_t end) const {
    return {bytes_.get() + begin, end - begin};
  }
  /// Keeps the first `kept` bytes.
  void resize(std::size_t size, std::size_t kept);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

class Connection {
 public:
  enum class Use { Idle, InCall, Closing };

  /// A head of 64 KiB with 128 fields at most. The buffer: one segment of 16 KiB behind a usual
  /// head.
  static constexpr detail::HeadLimits kLimits{64 * 1024, 128, 32 * 1024};
  static constexpr std::size_t kBufferBytes = 20 * 1024;

  Connection(ConnectionOwner& owner, std::unique_ptr<net::Stream> stream);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins a read unless one is in progress.
  void begin_read(std::span<char> into);
  bool reading() const { return reading_; }
  /// Of the read that ended last.
  std::error_code read_error() const { return read_.error; }
  std::size_t read_bytes() const { return read_.bytes; }

  /// The pieces must live until writing() is false.
  void begin_write(std::span<const std::string_view> pieces);
  bool writing() const { return writing_; }
  std::error_code write_error() const { return write_.error; }

  void cancel() { stream_->cancel(); }
  void close() { stream_->close(); }

  /// Set (and to be reset by who waits) when an operation has ended that did not end at once.
  Signal ended;

  Use use = Use::InCall;
  Monotonic idle_since{};
  bool reused = false;

  Buffer buffer{kBufferBytes};
  detail::ResponseParser parser{kLimits};
  detail::ChunkedDecoder chunks;
  std::string authority;                     // of the endpoint, for the Host field
  std::string head_out;                      // the request's head
  std::vector<std::string_view> pieces_out;  // it and the body

 private:
  struct Operation : net::Op {
    Connection* self = nullptr;
  };
  void operation_ended();

  ConnectionOwner& owner_;
  std::unique_ptr<net::Stream> stream_;
  Operation read_, write_;
  bool reading_ = false, writing_ = false;
};

}  // namespace causeway::http
