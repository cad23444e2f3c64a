// The bodies of requests: in place behind the head where they fit, else in memory of their own that
// grows with what has arrived (not with what was announced) and is taken from the loop's budget.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "platform/http/buffers_full.h"
#include "platform/http/detail/connection_impl.h"

namespace causeway::http::detail {
namespace {

constexpr std::size_t kFirstBody = 64 * 1024;
constexpr std::size_t kPiece = 32 * 1024;

std::unexpected<Error> too_large(std::uint64_t limit) {
  return fail(ErrorKind::TooLarge, Origin::Client,
              "the body is larger than the limit of " + std::to_string(limit) + " bytes");
}

}  // namespace

Result<void> Connection::check_before_body(std::uint64_t limit) const {
  if (input_ended_ && !body_settled()) {
    return fail(ErrorKind::Cancelled, Origin::Client, "the client has gone");
  }
  if (body_bad_) {
    return fail(ErrorKind::InvalidRequest, Origin::Client, "the chunks of the body are malformed");
  }
  if (!head().chunked && body_left_ > limit) return too_large(limit);
  return {};
}

Task<Result<std::string_view>> Connection::read_body(std::size_t limit) {
  const std::uint64_t most = std::min(limit, core_.limits.body_bytes);
  if (auto fine = check_before_body(most); !fine) co_return pass(std::move(fine));
  if (body_done_) co_return body_done({});
  if (head().chunked) co_return co_await read_chunked(most);
  const bool whole = in_end_ - in_begin_ >= body_left_ && in_end_ < work_->capacity();
  if (!whole) co_return co_await read_sized(body_left_);
  const std::string_view body = work_->view(in_begin_, in_begin_ + body_left_);  // it came whole
  in_begin_ += body.size();
  co_return body_done(body);
}

/// The whole body, or its end: from now on the input is read only to see the client go.
Result<std::string_view> Connection::body_done(std::string_view body) {
  body_done_ = true;
  body_left_ = 0;
  body_wanted_ = 0;
  // A body in memory of its own leaves its beginning's place free: without any, nothing could be
  // read, and the client's end would not be seen.
  const bool in_place = body.data() >= work_->data() && body.data() < work_->data() + in_begin_;
  if (!in_place && in_begin_ == in_end_ && pump_ != Pump::Reading) {
    in_begin_ = in_end_ = work_->parser.size();
  }
  arm();
  // An empty body has readable padding too.
  return body.empty() ? work_->view(in_begin_, in_begin_) : body;
}

/// Moves what the pump put into the workspace to the body's own memory.
void Connection::take_arrived(std::uint64_t size) {
  const std::size_t count =
      static_cast<std::size_t>(std::min<std::uint64_t>(in_end_ - in_begin_, size - body_end_));
  if (count == 0) return;
  std::memcpy(body_ + body_end_, work_->data() + in_begin_, count);
  in_begin_ += count;
  body_end_ += count;
}

Task<Result<std::string_view>> Connection::read_sized(std::uint64_t wanted) {
  const auto size = static_cast<std::size_t>(wanted);
  if (in_begin_ + size < work_->capacity()) {  // with room to read on, see body_done()
    while (in_end_ - in_begin_ < size) {
      if (auto more = co_await more_body(); !more) co_return pass(std::move(more));
    }
    const std::string_view body = work_->view(in_begin_, in_begin_ + size);
    in_begin_ += size;
    co_return body_done(body);
  }
  body_end_ = 0;
  while (body_end_ < size) {
    const std::size_t arrived = in_end_ - in_begin_;
    if (body_end_ + arrived >= body_capacity_) {
      const std::size_t next = std::max({kFirstBody, body_capacity_ * 2, body_end_ + arrived});
      if (auto room = reserve_body(std::min(size, next)); !room) co_return pass(std::move(room));
    }
    take_arrived(size);
    if (body_end_ == size) break;
    body_wanted_ = body_capacity_ < size ? body_capacity_ : size;
    auto more = co_await more_body();
    body_wanted_ = 0;
    if (!more) co_return pass(std::move(more));
  }
  co_return body_done({body_, size});
}

Task<Result<std::string_view>> Connection::read_chunked(std::uint64_t limit) {
  body_end_ = 0;
  while (true) {
    auto piece = co_await next_chunk();
    if (!piece) co_return piece;
    if (piece->empty()) co_return body_done({body_, body_end_});
    const std::size_t size = body_end_ + piece->size();
    if (size > limit) co_return too_large(limit);
    if (size > body_capacity_) {
      const std::size_t next = std::max({kFirstBody, body_capacity_ * 2, size});
      auto room = reserve_body(std::max<std::size_t>(size, std::min<std::uint64_t>(limit, next)));
      if (!room) co_return pass(std::move(room));
    }
    std::memcpy(body_ + body_end_, piece->data(), piece->size());
    body_end_ = size;
  }
}

Task<Result<std::string_view>> Connection::read_some() {
  if (auto fine = check_before_body(core_.limits.body_bytes); !fine)
    co_return pass(std::move(fine));
  if (body_done_) co_return body_done({});
  if (head().chunked) {
    auto piece = co_await next_chunk();
    if (piece && piece->empty()) co_return body_done({});
    co_return piece;
  }
  std::string_view piece;
  while (piece.empty()) {
    if (body_given_ < body_end_) {  // came behind the last piece
      piece = {body_ + body_given_, body_end_ - body_given_};
      body_given_ = body_end_;
      break;
    }
    if (in_begin_ < in_end_) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(in_end_ - in_begin_, body_left_));
      piece = work_->view(in_begin_, in_begin_ + count);
      in_begin_ += count;
      break;
    }
    if (auto room = reserve_body(kPiece); !room) co_return pass(std::move(room));
    // The pump may have begun to read on behind the last piece: what it brings belongs there.
    if (pump_ != Pump::Reading || !read_into_body_) {
      body_end_ = body_given_ = 0;
      body_wanted_ = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, body_left_));
    }
    auto more = co_await more_body();
    body_wanted_ = 0;
    if (!more) co_return pass(std::move(more));
  }
  body_left_ -= piece.size();
  if (body_left_ == 0) co_return body_done(piece);
  co_return piece;
}

/// The next piece of a chunked body, inside the workspace; empty at the end.
Task<Result<std::string_view>> Connection::next_chunk() {
  while (true) {
    const auto step = work_->chunks.next(work_->view(in_begin_, in_end_));
    in_begin_ += step.consumed;
    if (step.state == Parsed::Refused) {
      body_bad_ = true;
      keep_alive_ = false;
      co_return pass(check_before_body(0));
    }
    if (!step.data.empty()) {
      body_seen_ += step.data.size();
      if (body_seen_ > core_.limits.body_bytes) co_return too_large(core_.limits.body_bytes);
      co_return step.data;
    }
    if (step.state == Parsed::Done) co_return std::string_view();
    const std::size_t start = work_->parser.size();
    if (in_begin_ > start && pump_ != Pump::Reading) {
      const std::size_t tail = in_end_ - in_begin_;
      std::memmove(work_->data() + start, work_->data() + in_begin_, tail);
      in_begin_ = start;
      in_end_ = start + tail;
    }
    if (auto more = co_await more_body(); !more) co_return pass(std::move(more));
  }
}

/// Waits for more of the body, wherever it is read to.
Task<Result<void>> Connection::more_body() {
  if (std::exchange(continue_due_, false) && !sent_) {
    const std::array<std::string_view, 1> line = {"HTTP/1.1 100 Continue\r\n\r\n"};
    co_await Write{*this, line};
    if (auto written = write_result(); !written) co_return written;
  }
  body_wait_began_ = core_.loop.now();
  input_deadline_ = body_wait_began_ + core_.limits.body_timeout;
  const Monotonic began = std::chrono::steady_clock::now();
  const bool open = co_await next_input();
  waited_ += std::chrono::steady_clock::now() - began;
  input_deadline_ = Monotonic::max();
  body_waited_ += core_.loop.now() - body_wait_began_;
  if (open && !timed_out_) co_return Result<void>();
  keep_alive_ = false;
  if (timed_out_) {
    co_return fail(ErrorKind::Timeout, Origin::Client, "the body came too slowly",
                   "request_timeout");
  }
  co_return fail(ErrorKind::Cancelled, Origin::Client, "the client has gone");
}

Result<void> Connection::reserve_body(std::size_t size) {
  if (size <= body_capacity_) return {};
  char* larger = nullptr;
  if (core_.reserve(size - body_capacity_)) {
    larger = static_cast<char*>(std::realloc(body_, size + kPadding));
    if (!larger) core_.release(size - body_capacity_);  // a limit on the process: others need less
  }
  if (!larger) return buffers_full();
  std::memset(larger + size, 0, kPadding);
  body_ = larger;
  body_capacity_ = size;
  return {};
}

void Connection::release_body() {
  std::free(body_);
  core_.release(body_capacity_);
  body_ = nullptr;
  body_capacity_ = body_end_ = body_given_ = body_wanted_ = 0;
}

/// Whether the input stands at the next request once the rest that has arrived is left out.
bool Connection::body_settled() const {
  return body_done_ || (!head().chunked && in_end_ - in_begin_ >= body_left_);
}

}  // namespace causeway::http::detail
