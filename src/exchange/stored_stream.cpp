#include "exchange/stored_stream.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kPiece = 32 * 1024;  // as much as is written at once

}  // namespace

StoredStream::StoredStream(const StoredAnswer& stored)
    : type_{"content-type", stored.content_type}, head_{200, {&type_, 1}}, left_(stored.body()) {}

Task<Result<std::string_view>> StoredStream::read() {
  const std::string_view piece = left_.substr(0, kPiece);
  left_.remove_prefix(piece.size());
  co_return piece;
}

Task<Result<std::string_view>> StoredStream::read_all(std::size_t limit, MayHold) {
  if (left_.size() > limit) {
    co_return fail(ErrorKind::TooLarge, Origin::Upstream, "the stored answer is too large");
  }
  const std::string_view all = left_;
  left_ = {};
  co_return all;
}

}  // namespace causeway::exchange
