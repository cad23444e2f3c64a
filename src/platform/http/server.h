// The HTTP/1.1 server of one loop: listens, reads requests strictly, hands each to the handler as a
// ServerStream, keeps connections alive. Refusals of the framing (400, 413, 431, 501, 505) are
// written here and close the connection; everything with a meaning is the handler's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/http/server_stream.h"

namespace causeway::net {
class Loop;
}

namespace causeway::http {

struct ServerLimits {
  std::size_t head_bytes = 32 * 1024;
  std::size_t fields = 64;
  std::size_t field_bytes = 16 * 1024;
  std::size_t body_bytes = 32 * 1024 * 1024;         // the handler may ask for less
  std::size_t buffered_bytes = 256 * 1024 * 1024;    // bodies and answers held on this loop
  std::size_t connections = 20'000;                  // on this loop; above: see below
  std::chrono::milliseconds header_timeout{10'000};  // first byte of a head to its end
  std::chrono::milliseconds body_timeout{30'000};    // between two reads of a body
  std::size_t body_min_rate = 1024;                  // bytes/s a body must average after 10 s
  std::chrono::milliseconds write_timeout{30'000};   // a client that does not read
  std::chrono::milliseconds keep_alive_timeout{75'000};
};
// A connection above the limit takes the place of one that is idle; where none is, it is closed.

/// A refusal that the server itself writes, in the form that its callers expect.
struct RefusalAnswer {
  std::string body;                                         // application/json
  std::vector<std::pair<std::string, std::string>> fields;  // besides Content-Type and framing
};
using RefusalBody = std::function<RefusalAnswer(int status, std::string_view message)>;

class Server {
 public:
  using Handler = std::function<Task<void>(ServerStream&)>;
  virtual ~Server() = default;

  /// Binds with SO_REUSEPORT and starts to accept. Port 0 picks one; port() tells which. `address`
  /// is an IP literal. Errors: Unavailable (in use, no such address), at start-up only.
  virtual Result<void> listen(const std::string& address, std::uint16_t port) = 0;
  virtual std::uint16_t port() const = 0;

  /// No new connections; idle ones are closed; each running exchange ends with Connection: close.
  virtual void drain() = 0;
  /// Closes everything now.
  virtual void close() = 0;

  struct Stats {
    std::size_t connections = 0, active = 0, buffered_bytes = 0;
    std::uint64_t accepted_total = 0, refused_total = 0;
  };
  virtual Stats stats() const = 0;

  /// Called on the loop when a connection waits that cannot be taken, since the process has no
  /// descriptors left; at each try, about ten times a second.
  virtual void on_starved(std::function<void()> action) = 0;
};

/// Whether nobody listens there yet. Listening itself would not tell: loops share a port
/// (SO_REUSEPORT), and so would another program of the same user, each getting some of the
/// requests. Port 0 is always free. Error: Unavailable.
Result<void> check_port_free(const std::string& address, std::uint16_t port);

/// The handler runs once per request and must reply, or finish or abort what it began; if it ends
/// without, the server answers 500 and closes.
std::unique_ptr<Server> make_server(net::Loop& loop, ServerLimits limits, Server::Handler handler,
                                    RefusalBody refusal_body);

}  // namespace causeway::http
