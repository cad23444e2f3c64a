// For tests: a server with its loop on a thread of its own, and a client that is a plain blocking
// socket, so that a test says byte for byte what is sent and sees what comes back.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "platform/http/server.h"
#include "platform/net/loop.h"

namespace causeway::http::testing {

using namespace std::chrono_literals;

class TestServer {
 public:
  explicit TestServer(Server::Handler handler, ServerLimits limits = {})
      : loop(0, 20ms),
        server_(make_server(loop, limits, std::move(handler), [](int status, std::string_view why) {
          return RefusalAnswer{
              "{\"status\":" + std::to_string(status) + ",\"why\":\"" + std::string(why) + "\"}",
              {}};
        })) {
    auto listening = server_->listen("127.0.0.1", 0);
    if (!listening) throw std::runtime_error(listening.error().message);
    port_ = server_->port();
    thread_ = std::thread([this] { loop.run(); });
  }
  /// Runs on the loop and waits for it.
  template <class Action>
  auto on_loop(Action action) {
    using T = decltype(action());
    std::promise<T> done;
    loop.post([&] {
      if constexpr (std::is_void_v<T>) {
        action();
        done.set_value();
      } else {
        done.set_value(action());
      }
    });
    return done.get_future().get();
  }
  ~TestServer() {
    on_loop([this] { server_->close(); });
    loop.stop();
    thread_.join();
    server_.reset();
  }

  std::uint16_t port() const { return port_; }

  void on_starved(std::function<void()> action) {
    on_loop([this, &action] {
      server_->on_starved(std::move(action));
      return 0;
    });
  }

  Server::Stats stats() {
    return on_loop([this] { return server_->stats(); });
  }
  void drain() {
    on_loop([this] { server_->drain(); });
  }
  /// Waits until the predicate over the stats holds, 5 s at most.
  template <class Predicate>
  bool eventually(Predicate predicate) {
    for (int i = 0; i < 500; ++i) {
      if (predicate(stats())) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  net::Loop loop;

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const timeval limit{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// One answer with its body, as it came; shorter when the connection ended before.
  std::string receive(bool head_only = false) {
    while (true) {
      const std::size_t head = kept_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t size = head + 4;
        const std::string fields = kept_.substr(0, size);
        if (head_only || fields.starts_with("HTTP/1.1 1") || fields.starts_with("HTTP/1.1 204")) {
          return take(size);
        }
        const std::size_t length = fields.find("Content-Length: ");
        if (length != std::string::npos) {
          const std::size_t all = size + std::stoul(fields.substr(length + 16));
          if (kept_.size() >= all) return take(all);
        } else if (fields.find("Transfer-Encoding: chunked") != std::string::npos) {
          const std::size_t end = kept_.find("0\r\n\r\n", head + 2);
          if (end != std::string::npos) return take(end + 5);
        }
      }
      if (!fill()) return take(kept_.size());
    }
  }
  std::string receive_until(std::string_view end) {
    std::size_t from = 0;
    while (true) {
      const std::size_t found = kept_.find(end, from);
      if (found != std::string::npos) return take(found + end.size());
      from = kept_.size() - std::min(kept_.size(), end.size());
      if (!fill()) return take(kept_.size());
    }
  }
  std::string receive_all() {
    while (fill()) {
    }
    return take(kept_.size());
  }
  /// Whether the server has closed (nothing more came).
  bool ended() { return !fill() && kept_.empty() && !timed_out_; }
  bool was_reset() const { return reset_; }
  /// Whether something arrives within the time.
  bool anything_within(std::chrono::milliseconds time) {
    pollfd entry{fd_, POLLIN, 0};
    return !kept_.empty() || ::poll(&entry, 1, static_cast<int>(time.count())) > 0;
  }
  void shutdown_write() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  bool fill() {
    char buffer[16384];
    const auto count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count > 0) kept_.append(buffer, static_cast<std::size_t>(count));
    timed_out_ = count < 0 && errno == EAGAIN;
    reset_ = reset_ || (count < 0 && errno == ECONNRESET);
    return count > 0;
  }
  std::string take(std::size_t size) {
    std::string taken = kept_.substr(0, size);
    kept_.erase(0, size);
    return taken;
  }
  int fd_ = -1;
  bool connected_ = false;
  bool timed_out_ = false;
  bool reset_ = false;
  std::string kept_;
};

}  // namespace causeway::http::testing
