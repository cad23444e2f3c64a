// For tests of the HTTP client: a server that says exactly what a test wants, byte by byte, and a
// call that is run to its end.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/http/client.h"
#include "platform/net/loop.h"

namespace causeway::http::testing {

using namespace std::chrono_literals;

/// The server's side of one connection, blocking, each wait 5 s at most.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval limit{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  Peer(const Peer&) = delete;
  ~Peer() { close(); }

  /// Up to the empty line; "" at the end of the connection.
  std::string read_head() {
    while (rest_.find("\r\n\r\n") == std::string::npos) {
      if (!more()) return {};
    }
    const std::size_t end = rest_.find("\r\n\r\n") + 4;
    std::string head = rest_.substr(0, end);
    rest_.erase(0, end);
    return head;
  }
  std::string read_body(std::size_t size) {
    while (rest_.size() < size && more()) {
    }
    std::string body = rest_.substr(0, size);
    rest_.erase(0, body.size());
    return body;
  }
  /// A request whose body has the length that it says. "" at the end.
  std::string read_request() {
    std::string head = read_head();
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + read_body(std::stoul(head.substr(at + 16)));
  }
  /// True when the other side has closed (or reset).
  bool wait_for_end() {
    while (more()) {
    }
    return ended_;
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Each byte in a packet of its own.
  void dribble(std::string_view text) {
    for (const char& byte : text) {
      if (!write({&byte, 1})) return;
      std::this_thread::sleep_for(300us);
    }
  }
  void answer(std::string_view body, std::string_view more_fields = {}) {
    write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
          std::string(more_fields) + "\r\n" + std::string(body));
  }
  void shutdown_write() { ::shutdown(fd_, SHUT_WR); }
  /// With a reset instead of an orderly end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    const std::lock_guard lock(closing_);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// From another thread: ends what waits.
  void interrupt() {
    const std::lock_guard lock(closing_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }
  int fd() const { return fd_; }

 private:
  bool more() {
    char buffer[64 * 1024];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    ended_ = count == 0 || (count < 0 && (errno == ECONNRESET || errno == EPIPE));
    if (count <= 0) return false;
    rest_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  std::mutex closing_;
  int fd_;
  bool ended_ = false;
  std::string rest_;
};

/// Listens on loopback (or a Unix socket) and runs `script` for each connection, each on a thread.
class RawServer {
 public:
  using Script = std::function<void(Peer&, int connection)>;

  explicit RawServer(Script script) : script_(std::move(script)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    start();
  }
  RawServer(Script script, const std::string& path) : script_(std::move(script)) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    start();
  }
  ~RawServer() {
    stopping_ = true;
    acceptor_.join();
    for (Peer& peer : peers_) peer.interrupt();
    for (std::thread& session : sessions_) session.join();
    ::close(fd_);
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

  Endpoint endpoint() const {
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = port_;
    endpoint.id = endpoint_id(endpoint);
    return endpoint;
  }

 private:
  void start() {
    EXPECT_EQ(::listen(fd_, 64), 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  void accept_all() {
    while (!stopping_) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 20) != 1) continue;
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = connections_++;
      Peer& peer = peers_.emplace_back(fd);
      sessions_.emplace_back([this, &peer, number] {
        script_(peer, number);
        peer.close();
      });
    }
  }
  Script script_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::list<Peer> peers_;
  std::vector<std::thread> sessions_;
  std::thread acceptor_;
};

struct Answer {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> pieces;
  std::optional<Error> error;  // of call() or of read()
  bool failed_in_body = false;
  bool done = false;

  std::string code() const { return error ? error->code : ""; }
};

/// What a test sends. Everything is copied, so that a test may build it in place.
struct Ask {
  std::string method = "POST";
  std::string target = "/v1/chat/completions";
  std::vector<std::string> body = {"{}"};
  std::vector<std::pair<std::string, std::string>> fields;
  BodySource* source = nullptr;
  Timeouts timeouts{5000ms, 5000ms, 5000ms, 10'000ms};
  bool whole = true;  // read_all
  std::size_t limit = 64 * 1024 * 1024;
  std::size_t room = SIZE_MAX;  // that may be held
};

inline Task<void> run_call(Client& client, Endpoint endpoint, Ask ask, Cancel& cancel,
                           Answer& out) {
  std::vector<Field> fields;
  for (const auto& [name, value] : ask.fields) fields.push_back({name, value});
  std::vector<std::string_view> body(ask.body.begin(), ask.body.end());
  {
    ClientRequest request{ask.method, ask.target, fields, body, ask.source, ask.timeouts};
    auto stream = co_await client.call(endpoint, request, cancel);
    // Whatever the call still looks at now, it must not: the request's bytes are gone.
    for (std::string& piece : ask.body) std::fill(piece.begin(), piece.end(), '!');
    if (!stream) {
      out.error = stream.error();
    } else {
      out.status = (*stream)->head().status;
      while (true) {
        // Not `?:` around co_await: g++ 12 destroys what the branch not taken did not make.
        Result<std::string_view> piece;
        if (ask.whole) {
          ClientStream::MayHold may_hold = [&ask](std::size_t bytes) { return bytes <= ask.room; };
          piece = co_await (*stream)->read_all(ask.limit, std::move(may_hold));
        } else {
          piece = co_await (*stream)->read();
        }
        if (!piece) {
          out.error = piece.error();
          out.failed_in_body = true;
          break;
        }
        if (!piece->empty()) {
          // The promised padding can be read.
          volatile char behind = 0;
          for (int i = 0; i < 64; ++i) behind = piece->data()[piece->size() + i];
          (void)behind;
          out.pieces.emplace_back(*piece);
          out.body += *piece;
        }
        if (ask.whole || piece->empty()) break;
      }
      for (const Field& field : (*stream)->head().fields) {
        out.fields.emplace_back(field.name, field.value);
      }
    }
  }
  out.done = true;
}

struct ClientTest : ::testing::Test {
  net::Loop loop{0, 10ms};
  std::unique_ptr<Client> client = make_client(loop);
  Cancel cancel;

  Answer fetch(const Endpoint& endpoint, Ask ask = {}) {
    Answer answer;
    spawn(run_call(*client, endpoint, std::move(ask), cancel, answer));
    EXPECT_TRUE(loop.run_until([&] { return answer.done; }, 15s));
    return answer;
  }
  Answer get(const Endpoint& endpoint) {
    Ask ask;
    ask.method = "GET";
    ask.body.clear();
    return fetch(endpoint, ask);
  }
  /// Lets the loop look at what has happened.
  void run_for(std::chrono::milliseconds time) {
    loop.run_until([] { return false; }, time);
  }
};

}  // namespace causeway::http::testing
