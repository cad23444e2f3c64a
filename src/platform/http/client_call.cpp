#include "platform/http/client_call.h"

#include <charconv>
#include <cstring>

#include "platform/http/client_error.h"
#include "platform/http/client_request.h"
#include "platform/http/cohort.h"

namespace causeway::http {
namespace {

using namespace std::chrono_literals;

// A pooled connection that the upstream closed at the same moment ends within a round trip. One
// that ends later died while the upstream was at work.
constexpr auto kStaleWithin = 5s;
constexpr int kMaxInterim = 16;               // 1xx answers before the real one
constexpr std::size_t kBodyRoom = 12 * 1024;  // more than the chunk decoder ever leaves over

std::unexpected<Error> timeout_error(std::string code, std::string message) {
  return client_error(ErrorKind::Timeout, std::move(code), std::move(message));
}

}  // namespace

ClientCall::ClientCall(net::Loop& loop, const Timeouts& timeouts, Cancel& cancel)
    : loop_(loop), timeouts_(timeouts), cancel_(cancel) {
  total_end_ = loop_.now() + timeouts_.total;
  loop_.watch(*this);
  cancel_.on_request([this] { stop(Stopped::Cancelled); });
}

ClientCall::~ClientCall() {
  cancel_.on_request(nullptr);
  if (connection_ && complete_ && reusable_ && !stopped()) std::move(connection_).release();
}

void ClientCall::enter(Phase phase) {
  phase_ = phase;
  if (phase == Phase::Paused || phase == Phase::Source) return;
  const auto limit = phase == Phase::Connect     ? timeouts_.connect
                     : phase == Phase::FirstByte ? timeouts_.first_byte
                                                 : timeouts_.idle;
  phase_end_ = loop_.now() + limit;
}

void ClientCall::sweep(Monotonic now) {
  if (now >= total_end_) return stop(Stopped::Total);
  if (phase_ == Phase::Paused || phase_ == Phase::Source || now < phase_end_) return;
  stop(phase_ == Phase::Connect     ? Stopped::Connect
       : phase_ == Phase::FirstByte ? Stopped::FirstByte
                                    : Stopped::Idle);
}

/// Ends what is in progress; who waits for it then finds stopped().
void ClientCall::stop(Stopped why) {
  if (stopped() || complete_) return;
  stopped_ = why;
  if (phase_ == Phase::Connect) {
    stop_connecting_.request();
  } else if (phase_ == Phase::Paused) {
    connection_->close();
  } else {
    connection_->cancel();
  }
}

std::unexpected<Error> ClientCall::stopped_error() const {
  switch (stopped_) {
    case Stopped::Connect:
      return timeout_error("connect_timeout", "the upstream could not be reached in time");
    case Stopped::FirstByte:
      return timeout_error("first_byte_timeout", "the upstream did not answer in time");
    case Stopped::Idle:
      return timeout_error("idle_timeout", "the upstream stopped sending within its answer");
    case Stopped::Total:
      return timeout_error("total_timeout", "the upstream took longer than a call may take");
    default:
      return cancelled_error();
  }
}

Task<Result<void>> ClientCall::open(Connector& connector, Pools::Slot slot,
                                    const Endpoint& endpoint, const std::string& id) {
  enter(Phase::Connect);
  const Monotonic began = std::chrono::steady_clock::now();
  auto stream = co_await connect(connector, endpoint, id, stop_connecting_);
  connecting_ = std::chrono::steady_clock::now() - began;
  if (stopped()) co_return stopped_error();
  if (!stream) co_return pass(std::move(stream));
  slot.connected(std::move(*stream));
  slot->authority = endpoint.authority();
  connection_ = std::move(slot);
  co_return Result<void>();
}

Result<void> ClientCall::begin_exchange(const Endpoint& endpoint, const ClientRequest& request) {
  Connection& c = *connection_;
  auto length = write_request_head(endpoint, c.authority, request, c.head_out);
  if (!length) return pass(std::move(length));
  sent_bytes_ = *length;
  all_sent_ = !request.source;
  c.pieces_out.assign(1, c.head_out);
  for (const std::string_view piece : request.body) {
    if (!piece.empty()) c.pieces_out.push_back(piece);
  }
  c.parser.reset();
  c.ended.reset();
  return {};
}

void ClientCall::begin_sending() {
  Connection& c = *connection_;
  enter(Phase::FirstByte);
  c.begin_write(c.pieces_out);
  c.begin_read(c.buffer.from(0));  // a pooled connection has it in progress
}

/// After a write has ended: begins that of the next piece, or says that there is none.
Task<Result<bool>> ClientCall::send_more(BodySource& source) {
  enter(Phase::Source);
  auto piece = co_await source.next();
  enter(Phase::FirstByte);
  if (stopped()) co_return false;
  if (!piece) co_return pass(std::move(piece));
  if (auto taken = take_piece(source, *piece); !taken) co_return pass(std::move(taken));
  if (connection_->pieces_out.empty()) co_return false;
  connection_->begin_write(connection_->pieces_out);
  co_return true;
}

// What is sent must be as long as was announced: bytes behind it would be another request.
Result<void> ClientCall::take_piece(BodySource& source, std::string_view piece) {
  Connection& c = *connection_;
  c.pieces_out.clear();
  source_bytes_ += piece.size();
  all_sent_ = piece.empty();
  if (const auto size = source.size()) {
    if (all_sent_ ? source_bytes_ != *size : source_bytes_ > *size) {
      return fail(ErrorKind::Internal, Origin::Us, "a body is not as long as it was said to be");
    }
    if (!all_sent_) c.pieces_out.push_back(piece);
    return {};
  }
  c.head_out.clear();
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr;
  c.head_out.append(digits, end).append(all_sent_ ? "\r\n\r\n" : "\r\n");
  c.pieces_out.push_back(c.head_out);
  if (all_sent_) return {};
  c.pieces_out.push_back(piece);
  c.pieces_out.push_back("\r\n");
  return {};
}

Task<Result<void>> ClientCall::exchange(const Endpoint& endpoint, const ClientRequest& request) {
  if (auto begun = begin_exchange(endpoint, request); !begun) co_return pass(std::move(begun));
  enter(Phase::Paused);
  co_await together(&loop_, Cohort::Sends, sent_bytes_);
  Connection& c = *connection_;
  if (!stopped()) begin_sending();
  Head head = Head::NeedMore;
  bool sending = !stopped();
  while (!stopped()) {
    // What a failed write means is told by what can still be read: often the reason for it.
    if (sending && !c.writing()) {
      sending = false;
      const bool refused = head == Head::Done && c.parser.head().status >= 300;
      if (!all_sent_ && !refused && head != Head::Failed && !c.write_error()) {
        auto more = co_await send_more(*request.source);
        if (!more) head = fail_head(std::unexpected(std::move(more).error()));
        sending = more && *more;
      }
      enter(Phase::FirstByte);
    }
    if (head == Head::NeedMore && !c.reading()) {
      head = take_head(request);
      // An upstream that refuses does not want the rest. One that accepts may need it.
      if (head == Head::Done && c.writing() && c.parser.head().status >= 300) c.cancel();
      if (head == Head::NeedMore) {
        c.begin_read(c.buffer.from(end_));
        continue;
      }
    }
    if (head == Head::Failed || (head == Head::Done && !c.writing() && !sending)) break;
    if (sending && !c.writing()) continue;  // it went out at once
    co_await c.ended;
    co_await together(&loop_, Cohort::Answers, c.read_bytes());
    c.ended.reset();
  }
  if (stopped() || head == Head::Failed) {
    if (c.reading() || c.writing()) c.cancel();
    while (c.reading() || c.writing()) {  // they look at the caller's bytes
      co_await c.ended;
      c.ended.reset();
    }
    enter(Phase::Paused);
    c.close();
    if (stopped()) co_return stopped_error();
    co_return std::unexpected(*failure_);
  }
  enter(Phase::Paused);
  reusable_ = reusable_ && all_sent_ && !c.write_error();
  co_return Result<void>();
}

/// After a read has ended.
ClientCall::Head ClientCall::take_head(const ClientRequest& request) {
  Connection& c = *connection_;
  if (c.read_error() || c.read_bytes() == 0) {
    const std::string why = c.read_error() ? c.read_error().message() : "end of file";
    if (any_byte_) {
      return fail_head(broken_error("the upstream closed the connection within its answer", why));
    }
    const bool at_once = loop_.now() + timeouts_.total < total_end_ + kStaleWithin;
    return fail_head(client_error(ErrorKind::ConnectFailed,
                                  c.reused && at_once ? "stale_connection" : "closed_before_answer",
                                  "the upstream closed the connection before it answered", why));
  }
  any_byte_ = true;
  end_ += c.read_bytes();
  const Head head = parse_head();
  if (head == Head::Done) frame_body(request.method);
  if (head == Head::NeedMore && end_ == c.buffer.size()) c.buffer.resize(2 * end_, end_);
  return head;
}

ClientCall::Head ClientCall::parse_head() {
  Connection& c = *connection_;
  while (true) {
    switch (c.parser.parse(c.buffer.view(0, end_))) {
      case detail::Parsed::NeedMore:
        return Head::NeedMore;
      case detail::Parsed::Refused:
        return fail_head(broken_error("the upstream's answer is not valid HTTP/1.1",
                                      std::string(c.parser.refusal().why)));
      case detail::Parsed::Done:
        break;
    }
    const int status = c.parser.head().status;
    if (status >= 200) return Head::Done;
    if (status == 101 || ++interim_ > kMaxInterim) {
      return fail_head(broken_error("the upstream did not come to a final answer",
                                    "status " + std::to_string(status)));
    }
    const std::size_t size = c.parser.size();
    std::memmove(c.buffer.data(), c.buffer.data() + size, end_ - size);
    end_ -= size;
    c.parser.reset();
    if (end_ == 0) return Head::NeedMore;
  }
}

ClientCall::Head ClientCall::fail_head(std::unexpected<Error> error) {
  failure_ = std::move(error).error();
  return Head::Failed;
}

void ClientCall::frame_body(std::string_view method) {
  Connection& c = *connection_;
  const detail::Framing& framing = c.parser.framing();
  const int status = c.parser.head().status;
  reusable_ = framing.keep_alive;
  body_begin_ = begin_ = c.parser.size();
  bytes_ = &c.buffer;
  if (method == "HEAD" || status == 204 || status == 304) return complete();
  if (framing.chunked) {
    body_ = Body::Chunked;
    c.chunks.reset();
  } else if (framing.content_length) {
    body_ = Body::Length;
    remaining_ = *framing.content_length;
    if (remaining_ == 0) return complete();
  } else {
    body_ = Body::UntilEnd;
    reusable_ = false;
  }
  if (c.buffer.size() - begin_ >= kBodyRoom) return;
  bytes_ = &spare_.emplace(Connection::kBufferBytes);
  std::memcpy(bytes_->data(), c.buffer.data() + begin_, end_ - begin_);
  end_ -= begin_;
  body_begin_ = begin_ = 0;
}

}  // namespace causeway::http
