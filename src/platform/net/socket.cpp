#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cerrno>

#include "platform/net/detail/loop_impl.h"
#include "platform/net/stream.h"

namespace causeway::net {
namespace {

using Descriptor = asio::generic::stream_protocol::socket;

constexpr std::size_t kMaxGathered = 64;

std::error_code system_error(int number) { return {number, std::system_category()}; }

class PlainSocket final : public Socket {
 public:
  explicit PlainSocket(Loop& loop) : descriptor_(loop.impl().context) {}
  PlainSocket(Loop& loop, int fd) : PlainSocket(loop) { adopt(fd); }
  ~PlainSocket() override { PlainSocket::close(); }

  bool start_read(Op& op, std::span<char> into) override {
    into_ = into;
    if (maybe_readable_ && try_read(op)) return true;
    return wait_for(op, Descriptor::wait_read, &PlainSocket::try_read);
  }

  bool start_wait(Op& op) override {
    op.error = {};
    op.bytes = 0;
    return wait_for(op, Descriptor::wait_read, &PlainSocket::note_readable);
  }

  bool start_write(Op& op, std::span<const std::string_view> pieces) override {
    pieces_ = pieces;
    skip_ = 0;
    op.bytes = 0;
    if (try_write(op)) return true;
    return wait_for(op, Descriptor::wait_write, &PlainSocket::try_write);
  }

  bool start_connect(Op& op, const Address& address) override {
    close();
    op.bytes = 0;
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ended(op, errno);
    adopt(fd);
    if (!descriptor_.is_open()) return ended(op, EMFILE);
    if (::connect(fd, address.data(), address.size()) == 0) return ended(op, 0);
    // A Unix socket whose backlog is full says EAGAIN and would never become writable.
    if (errno != EINPROGRESS) return ended(op, errno);
    return wait_for(op, Descriptor::wait_write, &PlainSocket::note_connected);
  }

  bool start_wait_writable(Op& op) override {
    op.error = {};
    op.bytes = 0;
    return wait_for(op, Descriptor::wait_write, &PlainSocket::note_writable);
  }

  void cancel() override {
    boost::system::error_code ignored;
    if (descriptor_.is_open()) descriptor_.cancel(ignored);
  }
  void close() override {
    boost::system::error_code ignored;
    if (descriptor_.is_open()) descriptor_.close(ignored);
  }
  void shutdown_write() override {
    if (descriptor_.is_open()) ::shutdown(descriptor_.native_handle(), SHUT_WR);
  }
  int descriptor() const override {
    return descriptor_.is_open() ? const_cast<Descriptor&>(descriptor_).native_handle() : -1;
  }

 private:
  void adopt(int fd) {
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
    if (name.ss_family == AF_INET || name.ss_family == AF_INET6) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    boost::system::error_code error;
    descriptor_.assign({name.ss_family, 0}, fd, error);
    if (!error) descriptor_.native_non_blocking(true, error);
    if (error) {
      ::close(fd);
      return;
    }
    maybe_readable_ = true;
  }

  static bool ended(Op& op, int number) {
    op.error = number ? system_error(number) : std::error_code();
    return true;
  }

  bool try_read(Op& op) {
    if (!descriptor_.is_open()) return ended(op, EBADF);
    while (true) {
      const ssize_t count =
          ::recv(descriptor_.native_handle(), into_.data(), into_.size(), MSG_DONTWAIT);
      if (count >= 0) {
        op.bytes = static_cast<std::size_t>(count);
        // A short read took all that was there: the next one would only hear "try again".
        maybe_readable_ = op.bytes == into_.size() || count == 0;
        return ended(op, 0);
      }
      if (errno == EINTR) continue;
      maybe_readable_ = false;
      op.bytes = 0;
      return errno != EAGAIN && ended(op, errno);
    }
  }

  bool try_write(Op& op) {
    if (!descriptor_.is_open()) return ended(op, EBADF);
    while (true) {
      std::array<iovec, kMaxGathered> vectors;
      std::size_t filled = 0;
      std::size_t offset = skip_;
      for (std::string_view piece : pieces_) {
        if (filled == vectors.size()) break;
        if (piece.size() > offset) {
          vectors[filled++] = {const_cast<char*>(piece.data()) + offset, piece.size() - offset};
        }
        offset -= std::min(offset, piece.size());
      }
      if (filled == 0) return ended(op, 0);
      msghdr message{};
      message.msg_iov = vectors.data();
      message.msg_iovlen = filled;
      const ssize_t count =
          ::sendmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno != EAGAIN && ended(op, errno);
      op.bytes += static_cast<std::size_t>(count);
      advance(static_cast<std::size_t>(count));
      if (pieces_.empty()) return ended(op, 0);
    }
  }

  /// Leaves out what has been written.
  void advance(std::size_t count) {
    skip_ += count;
    while (!pieces_.empty() && skip_ >= pieces_.front().size()) {
      skip_ -= pieces_.front().size();
      pieces_ = pieces_.subspan(1);
    }
  }

  bool note_readable(Op&) {
    maybe_readable_ = true;
    return true;
  }
  bool note_writable(Op&) { return true; }

  bool note_connected(Op& op) {
    int number = 0;
    socklen_t length = sizeof number;
    ::getsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_ERROR, &number, &length);
    return ended(op, number);
  }

  bool wait_for(Op& op, Descriptor::wait_type what, bool (PlainSocket::*attempt)(Op&)) {
    if (!descriptor_.is_open()) return ended(op, EBADF);
    descriptor_.async_wait(what, [this, &op, what, attempt](boost::system::error_code error) {
      if (error) return op.finish(error, op.bytes);
      if ((this->*attempt)(op)) return op.complete(op);
      wait_for(op, what, attempt);
    });
    return false;
  }

  Descriptor descriptor_;
  bool maybe_readable_ = false;
  std::span<char> into_;
  std::span<const std::string_view> pieces_;
  std::size_t skip_ = 0;  // bytes of pieces_.front() that are written
};

}  // namespace

std::unique_ptr<Socket> make_socket(Loop& loop) { return std::make_unique<PlainSocket>(loop); }

std::unique_ptr<Socket> adopt_socket(Loop& loop, int descriptor) {
  return std::make_unique<PlainSocket>(loop, descriptor);
}

}  // namespace causeway::net
