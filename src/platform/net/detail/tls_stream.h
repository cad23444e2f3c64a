// The TLS half of tls.h that moves bytes: OpenSSL between two buffers, records read and written
// through the stream below. Includes OpenSSL: only for the .cpp files of platform/net.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "platform/net/stream.h"

namespace causeway::net::detail {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

/// The newest session of each peer; shared by the streams of one TlsClient. Bounded: any other
/// makes room.
class SessionStore {
 public:
  void put(const std::string& key, SessionPtr session) {
    if (sessions_.size() >= kMax && !sessions_.contains(key)) sessions_.erase(sessions_.begin());
    sessions_[key] = std::move(session);
  }
  SSL_SESSION* get(const std::string& key) const {
    const auto found = sessions_.find(key);
    return found == sessions_.end() ? nullptr : found->second.get();
  }

 private:
  static constexpr std::size_t kMax = 256;
  std::unordered_map<std::string, SessionPtr> sessions_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> below, SslPtr ssl, std::shared_ptr<SessionStore> sessions,
            std::string session_key);
  ~TlsStream() override;

  bool start_handshake(Op& op);
  bool start_read(Op& op, std::span<char> into) override;
  bool start_wait(Op& op) override;
  bool start_write(Op& op, std::span<const std::string_view> pieces) override;
  void cancel() override;
  void close() override;
  void shutdown_write() override;

  SSL* ssl() { return ssl_.get(); }
  /// The peer ended the stream below without saying so in TLS.
  bool cut() const { return ended_; }
  /// OpenSSL's code of the first failure, 0 = none.
  unsigned long failure() const { return failure_; }
  void remember(SessionPtr session) { sessions_->put(session_key_, std::move(session)); }

 private:
  enum class Mode { Handshake, Read, Wait };

  /// What is being written below. It outlives the stream when a write of our own (an alert, a key
  /// update) is still in progress at the stream's end.
  struct Wire : Op {
    std::unique_ptr<Stream> below;
    TlsStream* owner = nullptr;
    bool writing = false;
    std::string bytes;
    std::string_view piece;
  };
  struct BelowRead : Op {
    TlsStream* owner = nullptr;
  };

  static int bio_read(BIO* bio, char* into, int size);
  static int bio_write(BIO* bio, const char* bytes, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* bio_method();

  bool start_incoming(Op& op, Mode mode);
  bool advance_incoming();
  bool nothing_came() const;
  bool attempt(Op& op);
  int step(std::size_t& bytes);
  bool read_below();
  void note_read();
  static void below_read_ended(Op& op);
  bool advance_outgoing();
  bool send_made();
  bool encrypt_some();
  static void wire_ended(Op& op);

  SslPtr ssl_;
  std::shared_ptr<SessionStore> sessions_;
  std::string session_key_;
  unsigned long failure_ = 0;
  bool closed_ = false;

  // incoming
  Mode mode_ = Mode::Read;
  Op* incoming_ = nullptr;
  std::span<char> into_;
  BelowRead below_read_;
  std::unique_ptr<char[]> cipher_;
  std::size_t cipher_begin_ = 0, cipher_end_ = 0;
  bool ended_ = false;
  std::error_code read_error_;

  // outgoing
  Op* outgoing_ = nullptr;
  std::span<const std::string_view> pieces_;
  std::size_t skip_ = 0;
  std::string made_;  // records not yet handed to the stream below
  std::string joined_;
  std::error_code write_error_;
  std::unique_ptr<Wire> wire_;
};

}  // namespace causeway::net::detail
