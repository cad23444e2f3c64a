// The answers: heads and small bodies leave in one gathered write; a long answer is chunked, or,
// for a client of HTTP/1.0, ended by the close of the connection.
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <vector>

#include "platform/http/cohort.h"
#include "platform/http/detail/answer_head.h"
#include "platform/http/detail/connection_impl.h"

namespace causeway::http::detail {
namespace {

/// The caller's pieces between ours; without memory of its own for the usual few.
class Gather {
 public:
  Gather(std::string_view first, std::span<const std::string_view> pieces, std::string_view last) {
    const std::size_t count = pieces.size() + 2;
    std::string_view* at = few_.data();
    if (count > few_.size()) {
      many_.resize(count);
      at = many_.data();
    }
    all_ = {at, count};
    *at++ = first;
    for (const std::string_view piece : pieces) *at++ = piece;
    *at = last;
  }
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;
  std::span<const std::string_view> all() const { return all_; }

 private:
  std::array<std::string_view, 10> few_;
  std::vector<std::string_view> many_;
  std::span<const std::string_view> all_;
};

std::uint64_t total(std::span<const std::string_view> pieces) {
  std::uint64_t sum = 0;
  for (const std::string_view piece : pieces) sum += piece.size();
  return sum;
}

void append_chunk_size(std::string& out, std::uint64_t size) {
  std::array<char, 18> line;
  char* end = std::to_chars(line.data(), line.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(line.data(), end);
}

std::unexpected<Error> misuse(const char* what) {
  return fail(ErrorKind::Internal, Origin::Us, what);
}

}  // namespace

void Connection::make_head(int status, std::span<const Field> fields,
                           std::optional<std::uint64_t> content_length) {
  if (core_.draining || asks_to_close(fields) || !body_settled()) keep_alive_ = false;
  const bool http10 = work_->parser.framing().http10;
  chunked_answer_ = !content_length && !http10;
  no_answer_body_ = no_answer_body_ || !status_has_body(status);
  if (!content_length && http10 && !no_answer_body_) keep_alive_ = false;
  AnswerHead answer;
  answer.status = status;
  answer.fields = fields;
  answer.content_length = content_length;
  answer.chunked = chunked_answer_;
  answer.close = !keep_alive_;
  answer.keep_alive = keep_alive_ && http10;
  answer.date_line = core_.date;
  work_->out.clear();
  write_answer_head(work_->out, answer);
}

bool Connection::hold(std::size_t bytes) {
  if (bytes > held_ && !core_.reserve(bytes - held_)) return false;
  if (bytes < held_) core_.release(held_ - bytes);
  held_ = bytes;
  return true;
}

Task<Result<void>> Connection::reply(int status, std::span<const Field> fields,
                                     std::span<const std::string_view> body) {
  if (answer_ != Answer::None) co_return misuse("a second answer to one request");
  answer_ = Answer::Complete;
  make_head(status, fields, total(body));
  if (no_answer_body_) body = {};
  const Gather pieces(work_->out, body, {});
  co_await together(&core_.loop, Cohort::Sends, total(body));
  if (may_write()) co_await Write{*this, pieces.all()};
  co_return write_result();
}

void Connection::begin(int status, std::span<const Field> fields) {
  if (answer_ != Answer::None) return;
  answer_ = Answer::Begun;
  make_head(status, fields, std::nullopt);
  head_pending_ = true;
}

Task<Result<void>> Connection::write(std::span<const std::string_view> body) {
  if (answer_ != Answer::Begun) co_return misuse("write() without begin()");
  if (!std::exchange(head_pending_, false)) work_->out.clear();
  const std::uint64_t size = no_answer_body_ ? 0 : total(body);
  if (size == 0) body = {};
  if (chunked_answer_ && size > 0) append_chunk_size(work_->out, size);
  if (size == 0 && work_->out.empty()) co_return Result<void>();
  const Gather pieces(work_->out, body, chunked_answer_ && size > 0 ? "\r\n" : "");
  co_await together(&core_.loop, Cohort::Sends, size);
  if (may_write()) co_await Write{*this, pieces.all()};
  co_return write_result();
}

Task<Result<void>> Connection::finish() {
  if (answer_ != Answer::Begun) co_return misuse("finish() without begin()");
  answer_ = Answer::Complete;
  if (!std::exchange(head_pending_, false)) work_->out.clear();
  if (chunked_answer_ && !no_answer_body_) work_->out += "0\r\n\r\n";
  if (work_->out.empty()) co_return Result<void>();
  const std::array<std::string_view, 1> pieces = {work_->out};
  co_await together(&core_.loop, Cohort::Sends, 0);
  if (may_write()) co_await Write{*this, pieces};
  co_return write_result();
}

void Connection::abort() {
  if (answer_ == Answer::Complete || answer_ == Answer::Aborted) return;
  answer_ = Answer::Aborted;
  keep_alive_ = false;
  head_pending_ = false;
  if (!sent_ || socket_->descriptor() < 0) return;
  if (!chunked_answer_) {
    // The close alone would look like the orderly end: it must be a reset.
    const ::linger at_once{1, 0};
    ::setsockopt(socket_->descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  } else {
    socket_->shutdown_write();
  }
}

/// Whether a write makes sense; else what it has come to is in write_result().
bool Connection::may_write() {
  broken_ = broken_ || input_ended_ || closed_;
  sent_ = sent_ || !broken_;
  return !broken_;
}

Result<void> Connection::write_result() {
  if (!write_op_.error && !broken_) return {};
  broken_ = true;
  if (timed_out_) {
    return fail(ErrorKind::Cancelled, Origin::Client, "the client does not read the answer",
                "client_too_slow");
  }
  return fail(ErrorKind::Cancelled, Origin::Client, "the client has gone");
}

}  // namespace causeway::http::detail
