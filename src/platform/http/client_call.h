// One call of the HTTP client, from the request to the last byte of the answer. It owns the
// connection meanwhile, keeps the deadlines (compared by the loop's sweep) and listens to `cancel`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "platform/http/client.h"
#include "platform/http/client_connect.h"
#include "platform/http/pool.h"
#include "platform/net/loop.h"

namespace causeway::http {

class ClientCall final : public ClientStream, public net::Swept {
 public:
  ClientCall(net::Loop& loop, const Timeouts& timeouts, Cancel& cancel);
  ~ClientCall() override;

  static void* operator new(std::size_t bytes) { return causeway::detail::allocate_frame(bytes); }
  static void operator delete(void* memory, std::size_t bytes) {
    causeway::detail::free_frame(memory, bytes);
  }

  /// Makes the slot's connection. The arguments must outlive the task.
  Task<Result<void>> open(Connector& connector, Pools::Slot slot, const Endpoint& endpoint,
                          const std::string& id);
  void reuse(Pools::Slot slot) { connection_ = std::move(slot); }

  /// Sends the request and reads the head of the answer. When it has returned, nothing of the
  /// request is being read any more.
  Task<Result<void>> exchange(const Endpoint& endpoint, const ClientRequest& request);

  const ResponseHead& head() const override { return connection_->parser.head(); }
  std::chrono::nanoseconds connecting() const override { return connecting_; }
  Task<Result<std::string_view>> read() override;
  using ClientStream::read_all;
  Task<Result<std::string_view>> read_all(std::size_t limit, MayHold may_hold) override;

  void sweep(Monotonic now) override;

 private:
  enum class Phase { Connect, Source, FirstByte, Idle, Paused };
  enum class Body { None, Length, Chunked, UntilEnd };
  enum class Stopped { No, Cancelled, Connect, FirstByte, Idle, Total };
  enum class Head { NeedMore, Done, Failed };

  void enter(Phase phase);
  void stop(Stopped why);
  bool stopped() const { return stopped_ != Stopped::No; }
  std::unexpected<Error> stopped_error() const;

  // The head (client_call.cpp).
  Result<void> begin_exchange(const Endpoint& endpoint, const ClientRequest& request);
  void begin_sending();
  Task<Result<bool>> send_more(BodySource& source);
  Result<void> take_piece(BodySource& source, std::string_view piece);
  Head take_head(const ClientRequest& request);
  Head parse_head();
  Head fail_head(std::unexpected<Error> error);
  void frame_body(std::string_view method);

  // The body (client_body.cpp).
  std::span<char> room();
  void settle_read(std::size_t& end);
  std::string_view next_piece();
  std::string_view next_chunks();
  void complete();
  void break_off(std::unexpected<Error> error);
  bool keep(std::string_view piece, MayHold& may_hold);

  net::Loop& loop_;
  Timeouts timeouts_;
  Cancel& cancel_;
  Cancel stop_connecting_;
  Pools::Slot connection_;

  Phase phase_ = Phase::Connect;
  Monotonic phase_end_{}, total_end_{};
  std::chrono::nanoseconds connecting_{0};
  Stopped stopped_ = Stopped::No;
  std::optional<Error> failure_;

  // The answer's bytes: the head at the buffer's beginning, then [begin_, end_) not yet given out.
  Buffer* bytes_ = nullptr;  // the connection's, or spare_ behind a head that fills it
  std::optional<Buffer> spare_;
  std::size_t body_begin_ = 0, begin_ = 0, end_ = 0;
  std::size_t bulk_ = 0;  // bytes of the answer since others had their turn
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t source_bytes_ = 0;  // that the source has given
  bool all_sent_ = false;
  int interim_ = 0;
  bool any_byte_ = false;

  Body body_ = Body::None;
  std::uint64_t remaining_ = 0;
  bool complete_ = false;
  bool reusable_ = false;

  std::optional<Buffer> all_;  // read_all
  std::size_t all_size_ = 0;
};

}  // namespace causeway::http
