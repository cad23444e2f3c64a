// The floor: the least that a single-threaded epoll reverse proxy can do. One upstream connection
// per client connection, and bytes are passed on as they come, without looking at them. No gateway
// on plain sockets can cost less CPU than about this.
#include <sys/epoll.h>

#include <cerrno>
#include <vector>

#include "net.h"

namespace {

constexpr std::size_t kMaxDescriptors = 65536;
constexpr std::size_t kBufferBytes = 256 * 1024;

class FloorProxy {
 public:
  FloorProxy(int port, int upstream_port)
      : upstream_port_(upstream_port), listener_(bench::listen_on(port)) {
    epoll_.add(listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    while (true) {
      const int count = epoll_.wait(events, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        fd == listener_ ? accept_all() : pass_on(fd);
      }
    }
  }

 private:
  void accept_all() {
    int client;
    while ((client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
      const int upstream = bench::connect_to(upstream_port_);
      if (upstream < 0 || upstream >= static_cast<int>(kMaxDescriptors)) {
        close(client);
        if (upstream >= 0) close(upstream);
        continue;
      }
      bench::no_delay(client);
      peer_[client] = upstream;
      peer_[upstream] = client;
      epoll_.add(client, EPOLLIN);
      epoll_.add(upstream, EPOLLIN);
    }
  }

  void pass_on(int fd) {
    const int peer = peer_[fd];
    if (peer == 0) return;  // closed by its peer earlier in this round
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0 && send(peer, buffer_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got) {
      return;
    }
    peer_[fd] = peer_[peer] = 0;
    close(fd);
    close(peer);
  }

  const int upstream_port_;
  const int listener_;
  bench::Epoll epoll_;
  std::vector<int> peer_ = std::vector<int>(kMaxDescriptors);
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv, {{"--port", "0"}, {"--upstream-port", "0"}});
  FloorProxy(static_cast<int>(options.number("--port")),
             static_cast<int>(options.number("--upstream-port")))
      .run();
}
