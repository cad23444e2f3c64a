#include "platform/net/detail/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>

namespace causeway::net::detail {
namespace {

constexpr std::size_t kRecord = 16 * 1024;            // RFC 8446: most text in one record
constexpr std::size_t kCipherBuffer = kRecord + 512;  // a record with its header and tag
constexpr std::size_t kSendAt = 128 * 1024;           // records held back before they are sent
constexpr std::size_t kKeep = 64 * 1024;              // buffer memory kept between writes

void trim(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeep) std::string().swap(buffer);
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<Stream> below, SslPtr ssl,
                     std::shared_ptr<SessionStore> sessions, std::string session_key)
    : ssl_(std::move(ssl)),
      sessions_(std::move(sessions)),
      session_key_(std::move(session_key)),
      wire_(std::make_unique<Wire>()) {
  wire_->below = std::move(below);
  wire_->owner = this;
  wire_->complete = &TlsStream::wire_ended;
  below_read_.owner = this;
  below_read_.complete = &TlsStream::below_read_ended;
  SSL_set_app_data(ssl_.get(), this);
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::~TlsStream() {
  TlsStream::close();
  if (wire_->writing) {
    wire_->owner = nullptr;
    wire_.release();  // deletes itself when the write has ended
  }
}

int TlsStream::bio_read(BIO* bio, char* into, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t count =
      std::min(self.cipher_end_ - self.cipher_begin_, static_cast<std::size_t>(size));
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(into, self.cipher_.get() + self.cipher_begin_, count);
  self.cipher_begin_ += count;
  return static_cast<int>(count);
}

int TlsStream::bio_write(BIO* bio, const char* bytes, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  self.made_.append(bytes, static_cast<std::size_t>(size));
  return size;
}

long TlsStream::bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* TlsStream::bio_method() {
  struct MethodFree {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  static const std::unique_ptr<BIO_METHOD, MethodFree> method = [] {
    std::unique_ptr<BIO_METHOD, MethodFree> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "causeway stream"));
    BIO_meth_set_read(made.get(), &TlsStream::bio_read);
    BIO_meth_set_write(made.get(), &TlsStream::bio_write);
    BIO_meth_set_ctrl(made.get(), &TlsStream::bio_control);
    return made;
  }();
  return method.get();
}

// Incoming.

bool TlsStream::start_handshake(Op& op) { return start_incoming(op, Mode::Handshake); }
bool TlsStream::start_wait(Op& op) { return start_incoming(op, Mode::Wait); }
bool TlsStream::start_read(Op& op, std::span<char> into) {
  into_ = into;
  return start_incoming(op, Mode::Read);
}

bool TlsStream::start_incoming(Op& op, Mode mode) {
  mode_ = mode;
  op.bytes = 0;
  op.error = {};
  incoming_ = &op;
  if (!advance_incoming()) return false;
  incoming_ = nullptr;
  return true;
}

/// True: the operation has ended. False: waits for the stream below.
bool TlsStream::advance_incoming() {
  while (true) {
    if (closed_) {
      incoming_->error = std::make_error_code(std::errc::bad_file_descriptor);
      return true;
    }
    const bool ended = attempt(*incoming_);
    // The handshake, alerts and key updates write, too. A write in progress takes them along.
    if (!made_.empty() && !outgoing_ && !wire_->writing) advance_outgoing();
    if (ended) return true;
    if (!read_below()) return false;
  }
}

/// OpenSSL could only say "want read": asking it costs its way there and back.
bool TlsStream::nothing_came() const {
  return cipher_begin_ == cipher_end_ && !ended_ && !read_error_ && !SSL_has_pending(ssl_.get()) &&
         SSL_get_shutdown(ssl_.get()) == 0;
}

/// One call of what the mode says; the return value is OpenSSL's.
int TlsStream::step(std::size_t& bytes) {
  if (mode_ == Mode::Handshake) return SSL_do_handshake(ssl_.get());
  if (mode_ == Mode::Wait) {
    char peeked;
    std::size_t count = 0;
    return SSL_peek_ex(ssl_.get(), &peeked, 1, &count);
  }
  // A call gives one record at most; what has arrived together is given together.
  int result = 1;
  while (bytes < into_.size()) {
    std::size_t count = 0;
    result = SSL_read_ex(ssl_.get(), into_.data() + bytes, into_.size() - bytes, &count);
    if (result <= 0) break;
    bytes += count;
    if (nothing_came()) break;
  }
  return bytes > 0 ? 1 : result;
}

/// True: the operation has ended, one way or the other. False: more bytes are needed.
bool TlsStream::attempt(Op& op) {
  if (mode_ != Mode::Handshake && nothing_came()) return false;
  ERR_clear_error();
  const int result = step(op.bytes);
  if (result > 0) return true;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      if (read_error_) {
        op.error = read_error_;
      } else if (ended_) {
        op.error = std::make_error_code(std::errc::connection_reset);
      }
      return static_cast<bool>(op.error);
    case SSL_ERROR_ZERO_RETURN:
      if (mode_ == Mode::Handshake) op.error = std::make_error_code(std::errc::connection_reset);
      return true;
    default:
      if (!failure_) failure_ = ERR_peek_error();
      op.error = std::make_error_code(std::errc::protocol_error);
      return true;
  }
}

/// True: bytes, the end or an error are there.
bool TlsStream::read_below() {
  if (!cipher_) cipher_ = std::make_unique_for_overwrite<char[]>(kCipherBuffer);
  cipher_begin_ = cipher_end_ = 0;
  if (!wire_->below->start_read(below_read_, {cipher_.get(), kCipherBuffer})) return false;
  note_read();
  return true;
}

void TlsStream::note_read() {
  read_error_ = below_read_.error;
  ended_ = ended_ || (!read_error_ && below_read_.bytes == 0);
  cipher_end_ = read_error_ ? 0 : below_read_.bytes;
}

void TlsStream::below_read_ended(Op& op) {
  TlsStream& self = *static_cast<BelowRead&>(op).owner;
  self.note_read();
  if (self.read_error_ == std::errc::operation_canceled) {
    self.read_error_ = {};  // of this operation, not of the stream
    return std::exchange(self.incoming_, nullptr)
        ->finish(std::make_error_code(std::errc::operation_canceled), 0);
  }
  if (!self.advance_incoming()) return;
  Op& ended = *std::exchange(self.incoming_, nullptr);
  ended.complete(ended);
}

// Outgoing.

bool TlsStream::start_write(Op& op, std::span<const std::string_view> pieces) {
  op.bytes = 0;
  op.error = {};
  pieces_ = pieces;
  skip_ = 0;
  outgoing_ = &op;
  if (!advance_outgoing()) return false;
  outgoing_ = nullptr;
  return true;
}

/// True: the caller's write has ended. False: nothing to do, or waits for the stream below.
bool TlsStream::advance_outgoing() {
  while (true) {
    if (write_error_ || closed_) {
      trim(made_);
      if (!outgoing_) return false;
      outgoing_->error =
          write_error_ ? write_error_ : std::make_error_code(std::errc::bad_file_descriptor);
      return true;
    }
    if (wire_->writing) return false;
    while (outgoing_ && made_.size() < kSendAt && encrypt_some()) {
    }
    if (write_error_) continue;
    if (made_.empty()) {
      trim(wire_->bytes);
      trim(made_);
      return outgoing_ != nullptr;
    }
    if (!send_made()) return false;
  }
}

/// True: it has been written (or an error noted).
bool TlsStream::send_made() {
  wire_->bytes.swap(made_);
  made_.clear();
  wire_->piece = wire_->bytes;
  wire_->writing = true;
  if (!wire_->below->start_write(*wire_, {&wire_->piece, 1})) return false;
  wire_->writing = false;
  write_error_ = wire_->error;
  return true;
}

/// The next record's worth of the caller's bytes; false when there are none, or after an error.
bool TlsStream::encrypt_some() {
  while (!pieces_.empty() && skip_ >= pieces_.front().size()) {
    pieces_ = pieces_.subspan(1);
    skip_ = 0;
  }
  if (pieces_.empty()) return false;
  std::string_view text = pieces_.front().substr(skip_, kRecord);
  if (text.size() < kRecord && pieces_.size() > 1) {  // small pieces share a record
    joined_.clear();
    while (!pieces_.empty() && joined_.size() < kRecord) {
      const std::string_view more = pieces_.front().substr(skip_, kRecord - joined_.size());
      joined_.append(more);
      skip_ += more.size();
      if (skip_ < pieces_.front().size()) break;
      pieces_ = pieces_.subspan(1);
      skip_ = 0;
    }
    text = joined_;
  } else {
    skip_ += text.size();
  }
  ERR_clear_error();
  std::size_t written = 0;
  if (!text.empty() && SSL_write_ex(ssl_.get(), text.data(), text.size(), &written) <= 0) {
    if (!failure_) failure_ = ERR_peek_error();
    write_error_ = std::make_error_code(std::errc::protocol_error);
    return false;
  }
  outgoing_->bytes += text.size();
  return true;
}

void TlsStream::wire_ended(Op& op) {
  auto& wire = static_cast<Wire&>(op);
  wire.writing = false;
  if (!wire.owner) {
    delete &wire;
    return;
  }
  TlsStream& self = *wire.owner;
  self.write_error_ = wire.error;
  if (!self.advance_outgoing()) return;
  Op& ended = *std::exchange(self.outgoing_, nullptr);
  ended.complete(ended);
}

void TlsStream::cancel() { wire_->below->cancel(); }

void TlsStream::close() {
  if (std::exchange(closed_, true)) return;
  const bool healthy = SSL_is_init_finished(ssl_.get()) && !failure_ && !read_error_ &&
                       !write_error_ && !wire_->writing;
  if (healthy && SSL_shutdown(ssl_.get()) >= 0 && !made_.empty()) send_made();  // close_notify
  wire_->below->close();
}

void TlsStream::shutdown_write() {
  if (closed_ || failure_ || outgoing_ || wire_->writing) return;
  if (SSL_shutdown(ssl_.get()) >= 0) advance_outgoing();
  if (!wire_->writing) wire_->below->shutdown_write();
}

}  // namespace causeway::net::detail
