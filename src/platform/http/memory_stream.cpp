#include "platform/http/memory_stream.h"

#include <algorithm>

namespace causeway::http {
namespace {

std::unexpected<Error> left() {
  return fail(ErrorKind::Cancelled, Origin::Client, "the client has gone");
}

std::unexpected<Error> misuse(const char* what) {
  return fail(ErrorKind::Internal, Origin::Us, what);
}

}  // namespace

MemoryStream::MemoryStream(Request request)
    : request_(std::move(request)), body_size_(request_.body.size()) {
  request_.body.append(kPadding, '\0');
  for (const auto& [name, value] : request_.fields) fields_.push_back({name, value});
  const std::string_view target = request_.target;
  const std::size_t question = target.find('?');
  head_.method = method_of(request_.method);
  head_.method_text = request_.method;
  head_.target = target;
  head_.path = target.substr(0, question);
  if (question != std::string_view::npos) head_.query = target.substr(question + 1);
  head_.fields = fields_;
  if (body_size_ > 0) head_.content_length = body_size_;
}

Task<Result<std::string_view>> MemoryStream::read_body(std::size_t limit) {
  const std::size_t size = body_size_ - read_;
  if (size > limit) {
    co_return fail(ErrorKind::TooLarge, Origin::Client,
                   "the body is larger than the limit of " + std::to_string(limit) + " bytes");
  }
  const std::size_t begin = std::exchange(read_, body_size_);
  co_return std::string_view(request_.body).substr(begin, size);
}

Task<Result<std::string_view>> MemoryStream::read_some() {
  if (gone_ && read_ < body_size_) co_return left();
  const std::size_t rest = body_size_ - read_;
  const std::size_t size = request_.piece_bytes ? std::min(rest, request_.piece_bytes) : rest;
  const std::size_t begin = std::exchange(read_, read_ + size);
  co_return std::string_view(request_.body).substr(begin, size);
}

void MemoryStream::set_head(int status, std::span<const Field> fields) {
  answer_.status = status;
  for (const Field& field : fields) {
    answer_.fields.emplace_back(std::string(field.name), std::string(field.value));
  }
}

Task<Result<void>> MemoryStream::reply(int status, std::span<const Field> fields,
                                       std::span<const std::string_view> body) {
  if (answer_.status) co_return misuse("a second answer to one request");
  if (gone_) co_return left();
  set_head(status, fields);
  begun_ = true;
  for (const std::string_view piece : body) answer_.body += piece;
  answer_.complete = true;
  co_return Result<void>();
}

void MemoryStream::begin(int status, std::span<const Field> fields) {
  if (answer_.status) return;
  set_head(status, fields);
  answer_.streamed = true;
}

Task<Result<void>> MemoryStream::write(std::span<const std::string_view> pieces) {
  if (!answer_.streamed || answer_.complete || answer_.aborted) {
    co_return misuse("write() without begin()");
  }
  if (gone_) co_return left();
  begun_ = true;
  std::string joined;
  for (const std::string_view piece : pieces) joined += piece;
  if (joined.empty()) co_return Result<void>();
  if (sink_) co_return co_await sink_(joined);
  answer_.body += joined;
  answer_.writes.push_back(std::move(joined));
  co_return Result<void>();
}

Task<Result<void>> MemoryStream::finish() {
  if (!answer_.streamed || answer_.complete || answer_.aborted) {
    co_return misuse("finish() without begin()");
  }
  if (gone_) co_return left();
  begun_ = true;
  answer_.complete = true;
  co_return Result<void>();
}

void MemoryStream::abort() {
  if (!answer_.complete) answer_.aborted = true;
}

void MemoryStream::on_gone(std::move_only_function<void()> action) {
  if (!gone_) {
    on_gone_ = std::move(action);
  } else if (action) {
    action();
  }
}

void MemoryStream::leave() {
  gone_ = true;
  if (auto action = std::exchange(on_gone_, nullptr)) action();
}

std::string_view MemoryStream::Answer::field(std::string_view name) const {
  for (const auto& [have, value] : fields) {
    if (same_name(have, name)) return value;
  }
  return {};
}

}  // namespace causeway::http
