// The awaiters of a Connection; only for its .cpp files.
#pragma once

#include "platform/http/detail/connection.h"

namespace causeway::http::detail {

/// Waits until the pump brought bytes (or found no space for them); false when the input has ended.
struct Connection::NextInput {
  Connection& connection;
  bool await_ready() const {
    if (connection.input_ended_) return true;
    connection.input_news_ = false;
    connection.arm();
    return connection.input_news_ || connection.input_ended_;
  }
  void await_suspend(std::coroutine_handle<> waiter) const { connection.input_waiter_ = waiter; }
  bool await_resume() const { return !connection.input_ended_; }
};

inline Connection::NextInput Connection::next_input() { return {*this}; }

/// Writes; the deadline is set only where the client makes us wait.
struct Connection::Write {
  Connection& connection;
  std::span<const std::string_view> pieces;
  Monotonic began{};  // 0 = it did not have to wait
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    net::Op& op = connection.write_op_;
    op = net::Op{};
    op.waiter = waiter;
    if (connection.socket_->start_write(op, pieces)) return false;
    connection.write_seen_ = op.bytes;
    connection.write_deadline_ =
        connection.core_.loop.now() + connection.core_.limits.write_timeout;
    began = std::chrono::steady_clock::now();
    return true;
  }
  void await_resume() const {
    connection.write_deadline_ = Monotonic::max();
    if (began != Monotonic()) connection.waited_ += std::chrono::steady_clock::now() - began;
  }
};

}  // namespace causeway::http::detail
