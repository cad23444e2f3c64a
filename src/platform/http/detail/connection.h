// One connection of the server: reads a request, lets the handler answer it, and again. The input
// is read by a pump that waits for readability without a buffer, so that the same wait tells the
// next request's first byte, the rest of a body, and that the client has gone while the handler
// works.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "platform/http/detail/server_core.h"
#include "platform/http/server_stream.h"
#include "platform/net/loop.h"
#include "platform/net/stream.h"

namespace causeway::http::detail {

class Connection final : public ServerStream, private net::Swept {
 public:
  Connection(ServerCore& core, std::unique_ptr<net::Socket> socket, std::string peer);
  ~Connection() override;

  /// Runs until the connection is over, then calls core.ended().
  Task<void> serve();
  /// No request is in progress, nor has one begun to arrive.
  bool idle() const;
  /// Ends at once where no request is in progress, else after it.
  void drain();
  /// Ends now.
  void close();

  const RequestHead& head() const override { return work_->parser.head(); }
  std::string_view peer() const override { return peer_; }
  Task<Result<std::string_view>> read_body(std::size_t limit) override;
  Task<Result<std::string_view>> read_some() override;
  bool hold(std::size_t bytes) override;
  Task<Result<void>> reply(int status, std::span<const Field> fields,
                           std::span<const std::string_view> body) override;
  void begin(int status, std::span<const Field> fields) override;
  Task<Result<void>> write(std::span<const std::string_view> pieces) override;
  Task<Result<void>> finish() override;
  void abort() override;
  std::chrono::nanoseconds waited() const override { return waited_; }
  bool begun() const override { return sent_; }
  bool gone() const override { return input_ended_; }
  void on_gone(std::move_only_function<void()> action) override;

  std::list<std::unique_ptr<Connection>>::iterator self;  // the server's

 private:
  struct ReadOp : net::Op {
    Connection* connection = nullptr;
  };
  struct NextInput;  // awaiters
  struct Write;
  enum class Pump : std::uint8_t { Off, Waiting, Reading };
  enum class Answer : std::uint8_t { None, Begun, Complete, Aborted };

  // The pump (connection.cpp).
  NextInput next_input();
  void arm();
  void readable();
  void took();
  void end_input();
  std::span<char> space();
  static void pump_ended(net::Op& op);
  void sweep(Monotonic now) override;
  bool body_too_slow(Monotonic now) const;

  // Requests one after the other (connection.cpp).
  Task<bool> read_head();
  Task<bool> exchange();
  Task<bool> refuse(int status, std::string_view why);
  Task<void> linger();
  Task<void> make_room_for_chunks();
  void begin_request();
  void end_request();

  // Bodies (connection_body.cpp).
  Task<Result<std::string_view>> read_sized(std::uint64_t size);
  Task<Result<std::string_view>> read_chunked(std::uint64_t limit);
  Task<Result<std::string_view>> next_chunk();
  Task<Result<void>> more_body();
  Result<std::string_view> body_done(std::string_view body);
  void take_arrived(std::uint64_t size);
  Result<void> reserve_body(std::size_t size);
  void release_body();
  bool body_settled() const;
  Result<void> check_before_body(std::uint64_t limit) const;

  // Answers (connection_answer.cpp).
  bool may_write();
  void make_head(int status, std::span<const Field> fields,
                 std::optional<std::uint64_t> content_length);
  Result<void> write_result();

  ServerCore& core_;
  std::unique_ptr<net::Socket> socket_;
  std::string peer_;
  std::unique_ptr<Workspace> work_;  // null while idle

  // Input: the bytes of work_ from in_begin_ to in_end_ have arrived and are not used yet.
  std::size_t in_begin_ = 0, in_end_ = 0;
  ReadOp read_op_;
  Pump pump_ = Pump::Off;
  bool read_into_body_ = false;  // where the read in progress goes
  std::size_t read_at_ = 0;
  bool input_news_ = false;
  bool input_ended_ = false;
  std::coroutine_handle<> input_waiter_;
  Monotonic input_deadline_ = Monotonic::max();

  // The body: in place behind the head, or in memory of its own.
  char* body_ = nullptr;
  std::size_t body_capacity_ = 0;  // without the padding; taken from the core's budget
  std::size_t body_end_ = 0;
  std::size_t body_given_ = 0;   // of it, by read_some()
  std::size_t body_wanted_ = 0;  // reads go into body_ up to here; 0: into work_
  std::uint64_t body_left_ = 0;  // of a Content-Length, not yet given to the handler
  std::uint64_t body_seen_ = 0;  // of a chunked body
  bool body_done_ = true;
  bool body_bad_ = false;
  bool continue_due_ = false;
  Monotonic body_wait_began_{};
  std::chrono::nanoseconds body_waited_{};
  std::uint64_t body_received_ = 0;

  // The answer.
  std::size_t held_ = 0;  // of the core's budget, by hold()
  net::Op write_op_;
  Monotonic write_deadline_ = Monotonic::max();
  std::size_t write_seen_ = 0;  // bytes written at the last sweep
  Answer answer_ = Answer::None;
  bool sent_ = false;
  bool chunked_answer_ = false;
  bool head_pending_ = false;  // work_->out holds a head that goes out with the first write
  bool no_answer_body_ = false;

  std::chrono::nanoseconds waited_{};  // by the machine's clock: the loop's is too coarse

  bool in_handler_ = false;
  bool keep_alive_ = true;
  bool timed_out_ = false;
  bool broken_ = false;  // nothing can be written any more
  bool closed_ = false;
  bool linger_ = false;  // the client may still be sending: a plain close could destroy the answer
  std::move_only_function<void()> on_gone_;
};

}  // namespace causeway::http::detail
