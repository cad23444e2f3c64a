#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/net/detail/loop_impl.h"
#include "platform/net/detail/readiness.h"
#include "platform/net/stream.h"

namespace causeway::net {
namespace {

constexpr std::size_t kMaxGathered = 64;

// Operations of one socket that may end at once without the loop having turned: then others get
// theirs, and a coroutine that never has to wait does not pile up its callers on the stack.
constexpr int kInARow = 32;

std::error_code system_error(int number) { return {number, std::system_category()}; }

class PlainSocket final : public Socket, private Readiness::Listener {
 public:
  explicit PlainSocket(Loop& loop) : loop_(loop.impl()), readiness_(loop.impl(), *this) {}
  PlainSocket(Loop& loop, int fd) : PlainSocket(loop) { adopt(fd); }

  bool start_read(Op& op, std::span<char> into) override {
    into_ = into;
    if (input_ != Input::Drained && !had_its_turn() && try_read(op)) return true;
    return wait_for_input(op, &PlainSocket::try_read);
  }

  bool start_wait(Op& op) override {
    op.error = {};
    op.bytes = 0;
    if (input_ == Input::More && !had_its_turn()) return true;
    return wait_for_input(op, &PlainSocket::note_readable);
  }

  bool start_write(Op& op, std::span<const std::string_view> pieces) override {
    pieces_ = pieces;
    skip_ = 0;
    op.bytes = 0;
    if (!had_its_turn() && try_write(op)) return true;
    return wait_for(op, Readiness::kWrite, &PlainSocket::try_write);
  }

  bool start_connect(Op& op, const Address& address) override {
    close();
    op.bytes = 0;
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ended(op, errno);
    if (const int number = adopt(fd)) return ended(op, number);
    if (::connect(fd, address.data(), address.size()) == 0) return ended(op, 0);
    // A Unix socket whose backlog is full says EAGAIN and would never become writable.
    if (errno != EINPROGRESS) return ended(op, errno);
    return wait_for(op, Readiness::kWrite, &PlainSocket::note_connected);
  }

  bool start_wait_writable(Op& op) override {
    op.error = {};
    op.bytes = 0;
    return wait_for(op, Readiness::kWrite, &PlainSocket::note_writable);
  }

  // A wait that the loop is about to end as ready cannot be called back: it is told when it ends.
  void cancel() override {
    reading_.cancelled = writing_.cancelled = true;
    readiness_.cancel();
  }
  void close() override { readiness_.close(); }
  void shutdown_write() override {
    if (readiness_.is_open()) ::shutdown(readiness_.descriptor(), SHUT_WR);
  }
  int descriptor() const override { return readiness_.descriptor(); }

 private:
  using Attempt = bool (PlainSocket::*)(Op&);

  /// What is known of the bytes to read.
  enum class Input : std::uint8_t {
    Unknown,  // a read may find something
    Drained,  // nothing was left at the last look
    More,     // bytes, an end or an error are there
  };

  /// 0, or the errno that made it close the descriptor.
  int adopt(int fd) {
    const int on = 1;
    int domain = 0, listening = 0;
    socklen_t length = sizeof(int);
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
    ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length);
    tells_rest_ = false;
    if (domain == AF_INET || domain == AF_INET6) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      tells_rest_ = !listening && ::setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof on) == 0;
    }
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (const auto error = readiness_.open(fd)) {
      ::close(fd);
      return error.value();
    }
    input_ = Input::Unknown;
    return 0;
  }

  bool had_its_turn() {
    if (std::exchange(turn_, loop_.turn) != loop_.turn) in_a_row_ = 0;
    return ++in_a_row_ > kInARow;
  }

  static bool ended(Op& op, int number) {
    op.error = number ? system_error(number) : std::error_code();
    return true;
  }

  bool try_read(Op& op) {
    if (!readiness_.is_open()) return ended(op, EBADF);
    while (true) {
      iovec vector{into_.data(), into_.size()};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
      msghdr message{};
      message.msg_iov = &vector;
      message.msg_iovlen = 1;
      if (tells_rest_) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
      }
      const ssize_t count = ::recvmsg(readiness_.descriptor(), &message, MSG_DONTWAIT);
      if (count >= 0) {
        op.bytes = static_cast<std::size_t>(count);
        input_ = after_read(message, op.bytes);
        return ended(op, 0);
      }
      if (errno == EINTR) continue;
      op.bytes = 0;
      if (errno != EAGAIN) return ended(op, errno);
      input_ = Input::Drained;
      return false;
    }
  }

  /// TCP says with each read how much is left, an end included (tcp(7), TCP_INQ), but not a reset:
  /// so, without one, the next wait can rely on the edge to come. Elsewhere a short read says no
  /// more than that bytes ran out.
  Input after_read(msghdr& message, std::size_t count) {
    if (count == 0) return Input::More;  // the end stays
    const cmsghdr* header = tells_rest_ ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header && header->cmsg_level == IPPROTO_TCP && header->cmsg_type == TCP_CM_INQ) {
      int left = 0;
      std::memcpy(&left, CMSG_DATA(header), sizeof left);
      return left > 0 || readiness_.has_hung_up() ? Input::More : Input::Drained;
    }
    return tells_rest_ || count == into_.size() ? Input::Unknown : Input::Drained;
  }

  bool try_write(Op& op) {
    if (!readiness_.is_open()) return ended(op, EBADF);
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
          ::sendmsg(readiness_.descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
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

  bool note_readable(Op& op) {
    input_ = tells_rest_ ? Input::More : Input::Unknown;
    return ended(op, 0);
  }
  bool note_writable(Op& op) { return ended(op, 0); }

  bool note_connected(Op& op) {
    int number = 0;
    socklen_t length = sizeof number;
    ::getsockopt(readiness_.descriptor(), SOL_SOCKET, SO_ERROR, &number, &length);
    return ended(op, number);
  }

  bool wait_for(Op& op, Readiness::Direction direction, Attempt attempt,
                Readiness::Since since = Readiness::Since::Now) {
    if (!readiness_.is_open()) return ended(op, EBADF);
    Pending& pending = direction == Readiness::kRead ? reading_ : writing_;
    pending = {&op, attempt, false};
    readiness_.wait(direction, since);
    return false;
  }
  bool wait_for_input(Op& op, Attempt attempt) {
    const bool edge = tells_rest_ && input_ == Input::Drained;
    return wait_for(op, Readiness::kRead, attempt,
                    edge ? Readiness::Since::LastWait : Readiness::Since::Now);
  }

  void ready(Readiness::Direction direction, std::error_code error) override {
    ++loop_.turn;
    const auto [op, attempt, cancelled] = direction == Readiness::kRead ? reading_ : writing_;
    if (error) return op->finish(error, op->bytes);
    if ((this->*attempt)(*op)) return op->complete(*op);  // may destroy this
    if (cancelled) {
      return op->finish(std::make_error_code(std::errc::operation_canceled), op->bytes);
    }
    const bool input = direction == Readiness::kRead;
    if (input ? wait_for_input(*op, attempt) : wait_for(*op, direction, attempt)) {
      op->complete(*op);
    }
  }

  struct Pending {
    Op* op = nullptr;
    Attempt attempt = nullptr;
    bool cancelled = false;
  };

  LoopImpl& loop_;
  Readiness readiness_;
  Pending reading_, writing_;
  Input input_ = Input::Unknown;
  bool tells_rest_ = false;
  std::uint64_t turn_ = 0;  // of the loop, when in_a_row_ began to count
  int in_a_row_ = 0;
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
