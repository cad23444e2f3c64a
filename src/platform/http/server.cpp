#include "platform/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "platform/http/detail/answer_head.h"
#include "platform/http/detail/connection.h"
#include "platform/http/detail/server_core.h"
#include "platform/net/address.h"
#include "platform/net/loop.h"
#include "platform/net/stream.h"

namespace causeway::http {
namespace detail {

ServerCore::ServerCore(net::Loop& on, ServerLimits with, Server::Handler serve, RefusalBody refuse)
    : loop(on),
      limits(with),
      handler(std::move(serve)),
      refusal_body(std::move(refuse)),
      pool({with.head_bytes, with.fields, with.field_bytes}),
      date(date_line(SystemClock().wall())) {}

ServerCore::~ServerCore() = default;

void ServerCore::ended(Connection& connection) {
  over.splice(over.end(), connections, connection.self);
  stats.connections = connections.size();
  if (over.size() == 1) {
    loop.post([this] { over.clear(); });
  }
}

}  // namespace detail

namespace {

using detail::Connection;
using detail::ServerCore;

constexpr int kBacklog = 4096;
constexpr int kMostUnsent =
    128 * 1024;  // bytes of a connection that the kernel has beside the window
constexpr int kAcceptsInARow = 64;
constexpr int kLookedAt = 64;  // connections, to find an idle one
constexpr std::chrono::milliseconds kNoDescriptorsWait{100};
constexpr std::chrono::seconds kLongestEnd{5};

std::unexpected<Error> cannot_listen(const std::string& where, int number) {
  auto failed = fail(ErrorKind::Unavailable, Origin::Us,
                     "cannot listen on " + where + ": " + std::strerror(number));
  return failed;
}

class ServerImpl final : public Server, private net::Swept {
 public:
  ServerImpl(net::Loop& loop, ServerLimits limits, Handler handler, RefusalBody refusal_body)
      : core_(std::make_unique<ServerCore>(loop, limits, std::move(handler),
                                           std::move(refusal_body))) {
    loop.watch(*this);
  }

  ~ServerImpl() override {
    close();
    const bool ended = core_->loop.run_until(
        [this] { return accepting_ == 0 && core_->connections.empty() && core_->over.empty(); },
        kLongestEnd);
    // A handler that waits for something which does not end still refers to its connection: better
    // to leave the memory than to pull it away.
    if (!ended) static_cast<void>(core_.release());
  }

  Result<void> listen(const std::string& address, std::uint16_t port) override {
    auto where = net::Address::ip(address, port);
    if (!where) return pass(std::move(where));
    const std::string text = address + ":" + std::to_string(port);
    const int fd = ::socket(where->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return cannot_listen(text, errno);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (where->family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // Its connections inherit it. Without it the kernel takes 4 MB for each caller that does not
    // read.
    ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMostUnsent, sizeof kMostUnsent);
    if (::bind(fd, where->data(), where->size()) != 0 || ::listen(fd, kBacklog) != 0) {
      const int number = errno;
      ::close(fd);
      return cannot_listen(text, number);
    }
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
    if (port_ == 0) {
      port_ = net::Address::from(reinterpret_cast<sockaddr*>(&name), length).port();
    }
    listeners_.push_back(net::adopt_socket(core_->loop, fd));
    spawn(accept(*listeners_.back()));
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void drain() override {
    core_->draining = true;
    for (auto& listener : listeners_) listener->close();
    for (auto& connection : core_->connections) connection->drain();
  }

  void close() override {
    drain();
    // close() may end a connection at once and so change the list.
    std::vector<Connection*> all;
    for (auto& connection : core_->connections) all.push_back(connection.get());
    for (Connection* connection : all) connection->close();
  }

  Stats stats() const override { return core_->stats; }

  void on_starved(std::function<void()> action) override { starved_ = std::move(action); }

 private:
  Task<void> accept(net::Socket& listener) {
    ++accepting_;
    while (!core_->draining) {
      const auto ready = co_await net::wait_readable(listener);
      if (!ready) break;
      if (accept_some(listener)) continue;
      if (starved_) starved_();
      co_await core_->loop.sleep(kNoDescriptorsWait);
    }
    --accepting_;
  }

  /// False when the process has no descriptors or memory left: trying again at once would spin.
  bool accept_some(net::Socket& listener) {
    for (int i = 0; i < kAcceptsInARow; ++i) {
      sockaddr_storage name{};
      socklen_t length = sizeof name;
      const int fd = ::accept4(listener.descriptor(), reinterpret_cast<sockaddr*>(&name), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EAGAIN) return true;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return false;
        continue;  // that connection was gone before we took it
      }
      if (core_->connections.size() >= core_->limits.connections && !make_room()) {
        ::close(fd);
        continue;
      }
      start(fd, net::Address::from(reinterpret_cast<sockaddr*>(&name), length).text());
    }
    return true;
  }

  // Who is idle the longest has to go: callers that only hold connections open must not keep others
  // out. Looks at a few and goes on behind them the next time.
  bool make_room() {
    auto& connections = core_->connections;
    for (int i = 0; i < kLookedAt && !connections.empty(); ++i) {
      Connection& oldest = *connections.front();
      connections.splice(connections.end(), connections, connections.begin());
      if (oldest.idle()) {
        oldest.drain();
        return true;
      }
    }
    return false;
  }

  void start(int fd, std::string peer) {
    ++core_->stats.accepted_total;
    auto& connections = core_->connections;
    connections.push_back(
        std::make_unique<Connection>(*core_, net::adopt_socket(core_->loop, fd), std::move(peer)));
    core_->stats.connections = connections.size();
    Connection& connection = *connections.back();
    connection.self = std::prev(connections.end());
    spawn(connection.serve());
  }

  void sweep(Monotonic) override {
    core_->date = detail::date_line(SystemClock().wall());
    core_->pool.trim();
  }

  std::unique_ptr<ServerCore> core_;
  std::vector<std::unique_ptr<net::Socket>> listeners_;
  std::function<void()> starved_;
  int accepting_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<void> check_port_free(const std::string& address, std::uint16_t port) {
  auto where = net::Address::ip(address, port);
  if (!where) return pass(std::move(where));
  if (port == 0) return {};
  const int fd = ::socket(where->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where->family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const int number = ::bind(fd, where->data(), where->size()) == 0 ? 0 : errno;
  ::close(fd);
  if (number == 0) return {};
  return cannot_listen(address + ":" + std::to_string(port), number);
}

std::unique_ptr<Server> make_server(net::Loop& loop, ServerLimits limits, Server::Handler handler,
                                    RefusalBody refusal_body) {
  return std::make_unique<ServerImpl>(loop, limits, std::move(handler), std::move(refusal_body));
}

}  // namespace causeway::http
