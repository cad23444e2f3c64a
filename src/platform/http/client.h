// The HTTP/1.1 client of one loop: keep-alive pools per endpoint, deadlines, gathered writes. It
// sends a request once: whether to send again is decided by the attempt loop alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/base/task.h"
#include "platform/http/message.h"

namespace causeway::net {
class Loop;
}

namespace causeway::http {

/// Where a request goes and how it is secured. Endpoints with equal `id` share one pool per loop;
/// config code makes the id from everything below but the limits (endpoint_id()); without one, each
/// call makes it.
struct Endpoint {
  std::string id;
  std::string host;  // DNS name or IP literal, without brackets; also the TLS host name
  std::uint16_t port = 0;
  std::string address;    // not empty: an IP to connect to instead of looking up host
  std::string unix_path;  // not empty: a Unix socket, and host is only the Host field
  bool tls = false;
  std::string ca_file;     // PEM bundle to trust instead of the system's; empty = the system's
  std::string proxy_host;  // HTTP proxy: CONNECT for TLS, absolute-form otherwise; empty = none
  std::uint16_t proxy_port = 0;
  Secret proxy_authorization;   // value of Proxy-Authorization; empty = none
  std::size_t max_idle = 256;   // idle connections kept per loop
  std::size_t max_open = 4096;  // connections per loop; above: Overloaded

  std::string authority() const;  // the Host field's value
};

std::string endpoint_id(const Endpoint& endpoint);

/// Splits "http[s]://host[:port][/path]"; the path (without a last '/') goes to `path`. Errors:
/// InvalidRequest with a message that says what is wrong.
Result<Endpoint> parse_url(std::string_view url, std::string& path);

struct Timeouts {
  std::chrono::milliseconds connect{10'000};      // DNS, TCP and TLS together
  std::chrono::milliseconds first_byte{120'000};  // from the request sent to the answer's head
  std::chrono::milliseconds idle{120'000};        // between two pieces of the answer
  std::chrono::milliseconds total{600'000};       // the whole call
};

/// A body that is not at hand as a whole. It is asked for its next piece when the one before has
/// been sent: that is the back-pressure.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Bytes of the whole; nothing = not known, it is sent in chunks.
  virtual std::optional<std::uint64_t> size() const = 0;
  /// The next piece, empty at the end; it lives until the next call. An error ends the call, which
  /// gives it back, and the connection.
  virtual Task<Result<std::string_view>> next() = 0;
};

/// Views only; they must live until call() has returned.
struct ClientRequest {
  std::string_view method = "POST";
  std::string_view target;  // path and query
  // Host, Content-Length, Transfer-Encoding, Connection and Proxy-Authorization are the client's
  // own: left out where they stand here.
  std::span<const Field> fields;
  std::span<const std::string_view> body;  // gathered; the sum of sizes is the Content-Length
  BodySource* source = nullptr;            // in the place of `body`
  Timeouts timeouts;
};

/// An answer being read. Destroying it gives the connection back to the pool after the end of the
/// answer, and closes it before (that is how a call is cancelled). So do not keep it longer than
/// needed. Not while a read is in progress; before its Client, and before the call's Cancel.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  /// Lives as long as the stream.
  virtual const ResponseHead& head() const = 0;
  /// How long making the connection took: name, TCP, TLS, proxy; 0 for one that was there.
  virtual std::chrono::nanoseconds connecting() const { return {}; }

  /// The next piece of the body, de-chunked; empty at the end of a complete body. The piece lives
  /// until the next call and has at least 64 readable bytes behind it. Errors: Timeout,
  /// UpstreamBroken (cut before its end, bad framing), Cancelled. An error stays.
  virtual Task<Result<std::string_view>> read() = 0;

  /// All that is left, in one piece with 64 readable bytes behind it. TooLarge above `limit` bytes.
  /// `may_hold` is asked before so many bytes are kept in all (none where it came in one piece);
  /// false: Overloaded. Without one, they may.
  using MayHold = std::move_only_function<bool(std::size_t bytes)>;
  virtual Task<Result<std::string_view>> read_all(std::size_t limit, MayHold may_hold) = 0;
  Task<Result<std::string_view>> read_all(std::size_t limit) { return read_all(limit, {}); }
};

/// No call may be running when it is destroyed, which lets the loop run for a moment.
class Client {
 public:
  virtual ~Client() = default;

  /// Sends and waits for the head of the answer (1xx answers are skipped). `cancel` ends it at any
  /// stage, also later while the stream is read: it must outlive the stream, whose only action it
  /// holds. An upstream that answers before it has read the whole request is heard: an answer of
  /// 300 or more ends the sending. Errors, all of Origin::Upstream but Cancelled and
  /// InvalidRequest:
  /// - ConnectFailed: code dns_failed, connect_failed, proxy_failed or tls_failed; or the
  /// connection
  ///   ended before the first byte of an answer: stale_connection (a pooled one, at once: it had
  ///   been closed, nothing was processed) or closed_before_answer (the upstream may have been at
  ///   work);
  /// - Timeout: connect_timeout, first_byte_timeout, idle_timeout or total_timeout, each kept to
  ///   about a second (the loop's sweep);
  /// - UpstreamBroken: what came is not an answer, or was cut;
  /// - Overloaded: max_open connections are in use;
  /// - InvalidRequest: a method, target or field that cannot be sent.
  virtual Task<Result<std::unique_ptr<ClientStream>>> call(const Endpoint& endpoint,
                                                           const ClientRequest& request,
                                                           Cancel& cancel) = 0;

  struct Stats {
    std::size_t open = 0, idle = 0, opened_total = 0, reused_total = 0;
  };
  virtual Stats stats() const = 0;
  virtual void close_idle() = 0;
};

std::unique_ptr<Client> make_client(net::Loop& loop);

}  // namespace causeway::http
