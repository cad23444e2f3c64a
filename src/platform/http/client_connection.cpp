#include "platform/http/client_connection.h"

#include <cstring>

namespace causeway::http {

void Buffer::resize(std::size_t size, std::size_t kept) {
  auto bytes = std::make_unique_for_overwrite<char[]>(size + kPadding);
  if (kept > 0) std::memcpy(bytes.get(), bytes_.get(), kept);
  std::memset(bytes.get() + size, 0, kPadding);
  bytes_ = std::move(bytes);
  size_ = size;
}

Connection::Connection(ConnectionOwner& owner, std::unique_ptr<net::Stream> stream)
    : owner_(owner), stream_(std::move(stream)) {
  read_.self = write_.self = this;
  read_.complete = [](net::Op& op) {
    Connection& self = *static_cast<Operation&>(op).self;
    self.reading_ = false;
    self.operation_ended();
  };
  write_.complete = [](net::Op& op) {
    Connection& self = *static_cast<Operation&>(op).self;
    self.writing_ = false;
    self.operation_ended();
  };
}

void Connection::begin_read(std::span<char> into) {
  if (reading_) return;
  reading_ = true;
  if (stream_->start_read(read_, into)) reading_ = false;
}

void Connection::begin_write(std::span<const std::string_view> pieces) {
  writing_ = true;
  if (stream_->start_write(write_, pieces)) writing_ = false;
}

void Connection::operation_ended() {
  switch (use) {
    case Use::InCall:
      return ended.set();
    case Use::Idle:
      return owner_.idle_ended(*this);
    case Use::Closing:
      if (!reading_ && !writing_) owner_.close_ended(*this);
      return;
  }
}

}  // namespace causeway::http
