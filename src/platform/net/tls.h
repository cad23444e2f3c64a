// TLS towards servers: a byte stream above another byte stream. TLS 1.2 at least, the certificate
// checked against the system's authorities or a given file, its name against the host's; sessions
// are resumed. The handshake's messages and records go through the stream below, so it works the
// same over TCP, a proxy's tunnel and a Unix socket.
#pragma once

#include <memory>
#include <string>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/net/stream.h"

namespace causeway::net {

/// One per loop: trusted authorities (read once per file) and sessions to resume. It may end before
/// the streams that it made.
class TlsClient {
 public:
  struct Peer {
    std::string host;         // DNS name or IP literal: what the certificate must be for
    std::string ca_file;      // PEM bundle to trust instead of the system's; empty = the system's
    std::string session_key;  // sessions are kept under it; must tell apart host, port and ca_file
  };

  TlsClient();
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// Speaks TLS over a connected stream. Errors: ConnectFailed with code tls_failed, whose message
  /// says what is wrong (expired, wrong host, unknown authority, too old a protocol, no TLS at all,
  /// cut), or Cancelled when `stop` was requested.
  ///
  /// The stream's reads end with 0 bytes only after the peer's close_notify; an end without it is
  /// an error (std::errc::connection_reset), since the text may have been cut by anybody.
  Task<Result<std::unique_ptr<Stream>>> handshake(std::unique_ptr<Stream> below, Peer peer,
                                                  Cancel& stop);

  struct Stats {
    std::size_t handshakes = 0, resumed = 0;
  };
  Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::net
