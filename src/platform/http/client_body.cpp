#include <algorithm>
#include <cstring>
#include <utility>

#include "platform/http/buffers_full.h"
#include "platform/http/client_call.h"
#include "platform/http/client_error.h"
#include "platform/http/cohort.h"

namespace causeway::http {
namespace {

constexpr std::size_t kBulk = 128 * 1024;  // bytes until others have their turn

}  // namespace

Task<Result<std::string_view>> ClientCall::read() {
  Connection& c = *connection_;
  while (true) {
    if (failure_) co_return std::unexpected(*failure_);
    if (complete_) co_return std::string_view();
    if (stopped()) co_return stopped_error();
    const std::string_view piece = next_piece();
    if (!piece.empty()) co_return piece;
    if (failure_ || complete_) continue;
    enter(Phase::Idle);
    c.ended.reset();
    c.begin_read(room());
    while (c.reading()) {
      co_await c.ended;
      co_await together(&loop_, Cohort::Answers, c.read_bytes());
      c.ended.reset();
    }
    settle_read(end_);
    // Streams that come as fast as they are read do not come before those of others.
    bulk_ += c.read_bytes();
    if (bulk_ >= kBulk) {
      bulk_ = 0;
      co_await loop_.next_turn(net::Loop::BackRow::Bulk);
    }
  }
}

Task<Result<std::string_view>> ClientCall::read_all(std::size_t limit, MayHold may_hold) {
  Connection& c = *connection_;
  all_.reset();
  all_size_ = 0;
  const auto too_large = [&] {
    break_off(
        client_error(ErrorKind::TooLarge, "answer_too_large",
                     "the upstream's answer has more than " + std::to_string(limit) + " bytes"));
    return std::unexpected(*failure_);
  };
  if (body_ == Body::Length && remaining_ > limit) co_return too_large();
  const bool begun = !failure_ && !complete_ && !stopped();
  std::string_view arrived = begun ? next_piece() : std::string_view();
  while (true) {
    Result<std::string_view> piece = std::exchange(arrived, {});
    if (piece->empty()) piece = co_await read();
    if (!piece) co_return pass(std::move(piece));
    if (piece->size() > limit - all_size_) co_return too_large();
    if (all_size_ == 0 && complete_) co_return *piece;  // usual: it came whole, no copy
    if (!keep(*piece, may_hold)) co_return std::unexpected(*failure_);
    // A known length: the rest goes where it belongs at once.
    while (body_ == Body::Length && !complete_ && !failure_) {
      enter(Phase::Idle);
      c.ended.reset();
      const std::size_t before = all_size_;
      c.begin_read(all_->from(all_size_));
      while (c.reading()) {
        co_await c.ended;
        c.ended.reset();
      }
      settle_read(all_size_);
      remaining_ -= all_size_ - before;
      if (remaining_ == 0) complete();
    }
    if (failure_) co_return std::unexpected(*failure_);
    if (complete_ && body_ == Body::Length) break;
    if (piece->empty()) break;
  }
  co_return all_->view(0, all_size_);
}

/// After a read of the body has ended: its bytes are added to `end`.
void ClientCall::settle_read(std::size_t& end) {
  Connection& c = *connection_;
  enter(Phase::Paused);
  if (stopped()) {
    break_off(stopped_error());
  } else if (!c.read_error() && c.read_bytes() > 0) {
    end += c.read_bytes();
  } else if (!c.read_error() && body_ == Body::UntilEnd) {
    complete();
  } else {
    break_off(broken_error("the upstream's answer ended before it was complete",
                           c.read_error() ? c.read_error().message() : "end of file"));
  }
}

/// Where the next bytes go; what is left over moves to the front.
std::span<char> ClientCall::room() {
  const std::size_t left = end_ - begin_;
  if (left > 0 && begin_ != body_begin_) {
    std::memmove(bytes_->data() + body_begin_, bytes_->data() + begin_, left);
  }
  begin_ = body_begin_;
  end_ = begin_ + left;
  return bytes_->from(end_);
}

/// What has arrived, as one piece; empty when more must be read, or after the end or a failure.
std::string_view ClientCall::next_piece() {
  if (body_ == Body::Chunked) return next_chunks();
  std::size_t size = end_ - begin_;
  if (body_ == Body::Length) size = std::min<std::uint64_t>(size, remaining_);
  const std::string_view piece = bytes_->view(begin_, begin_ + size);
  begin_ += size;
  if (body_ == Body::Length) {
    remaining_ -= size;
    if (remaining_ == 0) complete();
  }
  return piece;
}

/// Chunks that arrived together are pushed together in place.
std::string_view ClientCall::next_chunks() {
  detail::ChunkedDecoder& chunks = connection_->chunks;
  const std::size_t begin = begin_;
  std::size_t out = begin;
  while (begin_ < end_) {
    const auto step = chunks.next(bytes_->view(begin_, end_));
    if (!step.data.empty()) {
      if (step.data.data() != bytes_->data() + out) {
        std::memmove(bytes_->data() + out, step.data.data(), step.data.size());
      }
      out += step.data.size();
    }
    begin_ += step.consumed;
    if (step.state == detail::Parsed::Done) {
      complete();
      break;
    }
    if (step.state == detail::Parsed::Refused) {
      break_off(broken_error("the upstream's answer is not chunked as HTTP/1.1 wants it"));
      break;
    }
    if (step.consumed == 0) break;
  }
  return bytes_->view(begin, out);
}

void ClientCall::complete() {
  complete_ = true;
  if (begin_ != end_) reusable_ = false;  // bytes that belong to no answer
}

void ClientCall::break_off(std::unexpected<Error> error) {
  failure_ = std::move(error).error();
  connection_->close();
}

bool ClientCall::keep(std::string_view piece, MayHold& may_hold) {
  const std::size_t wanted = all_size_ + piece.size();
  std::size_t size = all_ ? all_->size() : 0;
  if (!all_) {
    size = body_ == Body::Length ? piece.size() + remaining_
                                 : std::max<std::size_t>(64 * 1024, piece.size());
  } else if (size < wanted) {
    size = std::max(2 * size, wanted);
  }
  if (!all_ || size > all_->size()) {
    if (may_hold && !may_hold(size)) {
      break_off(buffers_full());
      return false;
    }
    all_ ? all_->resize(size, all_size_) : void(all_.emplace(size));
  }
  if (!piece.empty()) std::memcpy(all_->data() + all_size_, piece.data(), piece.size());
  all_size_ += piece.size();
  return true;
}

}  // namespace causeway::http
