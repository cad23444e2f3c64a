#include "platform/http/detail/connection.h"

#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "platform/http/cohort.h"
#include "platform/http/detail/answer_head.h"
#include "platform/http/detail/connection_impl.h"

namespace causeway::http::detail {
namespace {

// How long the rest of a refused request is read away, so that the client gets to read the answer.
constexpr std::chrono::seconds kLinger{5};

}  // namespace

Connection::Connection(ServerCore& core, std::unique_ptr<net::Socket> socket, std::string peer)
    : core_(core), socket_(std::move(socket)), peer_(std::move(peer)) {
  read_op_.connection = this;
  read_op_.complete = &Connection::pump_ended;
}

Connection::~Connection() {
  release_body();
  hold(0);
}

Task<void> Connection::serve() {
  core_.loop.watch(*this);
  bool again = true;
  while (again) {  // not `while (co_await ...)`: g++ 12 makes a trap of some such loops
    again = co_await read_head();
    if (again) again = co_await exchange();
    // Requests that were sent ahead do not come before those of others.
    if (again && in_end_ > 0) co_await core_.loop.next_turn(net::Loop::BackRow::Ahead);
  }
  if (linger_ && !input_ended_ && !closed_ && !broken_) co_await linger();
  socket_->close();
  while (pump_ != Pump::Off) co_await next_input();
  if (work_) {
    work_->parser.reset();
    core_.pool.give(std::move(work_));
  }
  unlink();
  core_.ended(*this);
}

bool Connection::idle() const { return !in_handler_ && in_end_ == 0; }

void Connection::drain() {
  if (idle()) socket_->cancel();
}

void Connection::close() {
  closed_ = true;
  socket_->close();
  if (pump_ == Pump::Off) end_input();
}

void Connection::on_gone(std::move_only_function<void()> action) {
  if (input_ended_) {
    if (action) action();
  } else {
    on_gone_ = std::move(action);
  }
}

// --- The pump ---

void Connection::arm() {
  if (pump_ != Pump::Off || input_ended_) return;
  read_op_.error = {};
  if (body_wanted_ > body_end_) return readable();  // its memory is there: no need to wait first
  pump_ = Pump::Waiting;
  if (socket_->start_wait(read_op_)) readable();
}

void Connection::pump_ended(net::Op& op) {
  Connection& connection = *static_cast<ReadOp&>(op).connection;
  if (connection.pump_ == Pump::Waiting) {
    connection.readable();
  } else {
    connection.took();
  }
}

std::span<char> Connection::space() {
  read_into_body_ = body_wanted_ > body_end_;
  if (read_into_body_) return {body_ + body_end_, body_wanted_ - body_end_};
  if (!work_) work_ = core_.pool.take();
  read_at_ = in_end_;
  return {work_->data() + in_end_, work_->capacity() - in_end_};
}

void Connection::readable() {
  if (read_op_.error) return end_input();
  const std::span<char> into = space();
  if (into.empty()) {  // enough read ahead: whoever uses it up arms the pump again
    pump_ = Pump::Off;
    input_news_ = true;
    if (auto waiter = std::exchange(input_waiter_, {})) waiter.resume();
    return;
  }
  pump_ = Pump::Reading;
  if (socket_->start_read(read_op_, into)) took();
}

void Connection::took() {
  if (read_op_.error || read_op_.bytes == 0) return end_input();
  pump_ = Pump::Off;
  input_news_ = true;
  const std::size_t count = read_op_.bytes;
  body_received_ += count;
  if (read_into_body_) {
    body_end_ += count;
  } else {
    if (read_at_ != in_end_) {
      std::memmove(work_->data() + in_end_, work_->data() + read_at_, count);
    }
    in_end_ += count;
  }
  if (auto waiter = std::exchange(input_waiter_, {})) {
    if (count > kCohortBytes) return waiter.resume();
    core_.loop.join(static_cast<std::size_t>(Cohort::Heads), waiter);
  } else if (in_handler_) {
    arm();  // keeps watching whether the client goes away
  }
}

void Connection::end_input() {
  pump_ = Pump::Off;
  input_ended_ = true;
  if (in_handler_ && answer_ != Answer::Complete) {
    if (auto action = std::exchange(on_gone_, nullptr)) action();
  }
  if (auto waiter = std::exchange(input_waiter_, {})) waiter.resume();
}

void Connection::sweep(Monotonic now) {
  if (write_deadline_ != Monotonic::max()) {
    if (write_op_.bytes != write_seen_) {
      write_seen_ = write_op_.bytes;
      write_deadline_ = now + core_.limits.write_timeout;
    } else if (now >= write_deadline_) {
      timed_out_ = true;
      socket_->cancel();
      return;
    }
  }
  if (now >= input_deadline_ || body_too_slow(now)) {
    timed_out_ = true;
    input_deadline_ = Monotonic::max();
    if (!in_handler_) {
      socket_->cancel();
    } else if (auto waiter = std::exchange(input_waiter_, {})) {
      waiter.resume();  // the input stays open: the client is to get its 408
    }
  }
}

bool Connection::body_too_slow(Monotonic now) const {
  if (!in_handler_ || input_deadline_ == Monotonic::max()) return false;
  const std::chrono::duration<double> waited = body_waited_ + (now - body_wait_began_);
  constexpr double kGrace = 10;  // seconds, as ServerLimits says
  return waited.count() > kGrace &&
         static_cast<double>(body_received_) <
             waited.count() * static_cast<double>(core_.limits.body_min_rate);
}

// --- Requests ---

Task<bool> Connection::read_head() {
  input_deadline_ = core_.loop.now() + core_.limits.keep_alive_timeout;
  bool started = false;
  while (true) {
    if (in_end_ > 0) {
      if (!std::exchange(started, true)) {
        input_deadline_ = core_.loop.now() + core_.limits.header_timeout;
      }
      const Parsed parsed = work_->parser.parse(work_->view(0, in_end_));
      if (parsed == Parsed::Done) break;
      if (parsed == Parsed::Refused) {
        const Refusal refusal = work_->parser.refusal();
        co_return co_await refuse(refusal.status, refusal.why);
      }
      if (in_end_ == work_->capacity()) {
        work_->grow(core_.limits.head_bytes + Workspace::kCapacity, in_end_);
      }
    } else if (core_.draining) {
      co_return false;
    }
    if (!co_await next_input()) co_return false;
  }
  input_deadline_ = Monotonic::max();
  if (head().chunked) co_await make_room_for_chunks();
  in_begin_ = work_->parser.size();
  if (head().content_length.value_or(0) > core_.limits.body_bytes) {
    co_return co_await refuse(413, "the body is larger than this server takes");
  }
  co_return true;
}

Task<void> Connection::make_room_for_chunks() {
  constexpr std::size_t kRoom = ChunkedDecoder::kMaxTail + 4096;
  if (work_->capacity() - work_->parser.size() >= kRoom) co_return;
  while (pump_ == Pump::Reading) co_await next_input();
  work_->parser.reset();
  work_->grow(work_->capacity() + kRoom, in_end_);
  work_->parser.parse(work_->view(0, in_end_));  // again, for views into the new place
}

void Connection::begin_request() {
  const RequestHead& request = head();
  keep_alive_ = request.keep_alive && !core_.draining;
  answer_ = Answer::None;
  sent_ = false;
  no_answer_body_ = request.method == Method::Head;
  body_left_ = request.content_length.value_or(0);
  body_done_ = !request.has_body();
  body_seen_ = 0;
  body_received_ = in_end_ - in_begin_;
  body_waited_ = waited_ = {};
  continue_due_ = request.expects_continue && !body_done_ && in_begin_ == in_end_;
  if (request.chunked) work_->chunks.reset();
}

Task<bool> Connection::exchange() {
  begin_request();
  ++core_.stats.active;
  in_handler_ = true;
  arm();
  try {
    co_await core_.handler(*this);
  } catch (...) {  // a fault of the handler: answered below as if it had not answered
  }
  in_handler_ = false;
  hold(0);
  --core_.stats.active;
  on_gone_ = nullptr;
  input_deadline_ = Monotonic::max();
  if (answer_ == Answer::None || (answer_ == Answer::Begun && !sent_)) {
    if (input_ended_) co_return false;
    if (body_bad_) co_return co_await refuse(400, "the chunks of the body are malformed");
    if (timed_out_) co_return co_await refuse(408, "the body came too slowly");
    co_return co_await refuse(500, "internal error");
  }
  if (answer_ != Answer::Complete) {
    abort();
    co_return false;
  }
  if (!keep_alive_ || broken_ || input_ended_ || closed_) {
    linger_ = head().keep_alive || !body_settled() || in_begin_ < in_end_;
    co_return false;
  }
  end_request();
  co_return true;
}

void Connection::end_request() {
  if (!body_done_) in_begin_ += static_cast<std::size_t>(body_left_);
  release_body();
  work_->parser.reset();
  const std::size_t left = in_end_ - in_begin_;
  if (left > 0) std::memmove(work_->data(), work_->data() + in_begin_, left);
  in_begin_ = 0;
  in_end_ = left;
  if (left == 0 && pump_ != Pump::Reading) core_.pool.give(std::move(work_));
}

Task<bool> Connection::refuse(int status, std::string_view why) {
  ++core_.stats.refused_total;
  const RefusalAnswer refusal =
      core_.refusal_body ? core_.refusal_body(status, why) : RefusalAnswer{};
  const std::string& body = refusal.body;
  std::vector<Field> fields;
  if (!body.empty()) fields.push_back({"Content-Type", "application/json"});
  for (const auto& [name, value] : refusal.fields) fields.push_back({name, value});
  AnswerHead answer;
  answer.status = status;
  answer.fields = fields;
  answer.content_length = body.size();
  answer.close = true;
  answer.date_line = core_.date;
  work_->out.clear();
  write_answer_head(work_->out, answer);
  const std::array<std::string_view, 2> pieces = {work_->out, body};
  // Also where the client has ended its side: it may have sent nonsense and wait for the verdict.
  if (!closed_ && !broken_) {
    sent_ = true;
    co_await Write{*this, pieces};
    broken_ = static_cast<bool>(write_op_.error);
  }
  linger_ = true;
  co_return false;
}

Task<void> Connection::linger() {
  socket_->shutdown_write();
  body_wanted_ = 0;
  in_begin_ = in_end_ = 0;
  input_deadline_ = core_.loop.now() + kLinger;
  while (true) {  // as in serve()
    const bool open = co_await next_input();
    if (!open) break;
    in_end_ = 0;
  }
}

}  // namespace causeway::http::detail
