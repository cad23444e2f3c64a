#include "platform/net/connect.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include "platform/net/dns.h"
#include "platform/net/loop.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

/// Listens on one loopback address of one family.
class Listener {
 public:
  explicit Listener(const std::string& literal) {
    auto address = *Address::ip(literal, 0);
    fd_ = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    bound_ = fd_ >= 0 && ::bind(fd_, address.data(), address.size()) == 0;
    if (!bound_ || ::listen(fd_, 4) != 0) return;
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = Address::from(reinterpret_cast<sockaddr*>(&name), size).port();
  }
  ~Listener() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool bound() const { return bound_; }
  std::uint16_t port() const { return port_; }

 private:
  int fd_ = -1;
  bool bound_ = false;
  std::uint16_t port_ = 0;
};

struct Outcome {
  std::optional<Error> error;
  bool connected = false;
  bool done = false;
};

Task<void> try_connect(Loop& loop, Resolver& resolver, std::string host, std::uint16_t port,
                       Cancel& stop, Outcome& out) {
  auto stream = co_await connect_tcp(loop, resolver, host, port, stop);
  if (stream) {
    out.connected = *stream != nullptr;
  } else {
    out.error = stream.error();
  }
  out.done = true;
}

struct ConnectTest : ::testing::Test {
  Loop loop{0, 10ms};
  Resolver resolver{loop};
  Cancel stop;

  Outcome connect(const std::string& host, std::uint16_t port) {
    Outcome out;
    spawn(try_connect(loop, resolver, host, port, stop, out));
    EXPECT_TRUE(loop.run_until([&] { return out.done; }, 5s));
    return out;
  }
};

TEST_F(ConnectTest, TriesTheNextAddress) {
  Listener six("::1");
  if (!six.bound()) GTEST_SKIP() << "no IPv6 on this machine";
  EXPECT_TRUE(connect("localhost", six.port()).connected);  // 127.0.0.1 refuses, ::1 accepts
}

TEST_F(ConnectTest, TellsTheReasonOfTheLastAddress) {
  std::uint16_t port = 0;
  {
    Listener gone("127.0.0.1");
    port = gone.port();
  }
  const Outcome out = connect("localhost", port);
  ASSERT_TRUE(out.error);
  EXPECT_EQ(out.error->code, "connect_failed");
  EXPECT_TRUE(out.error->retryable);
  EXPECT_TRUE(out.error->detail.starts_with("localhost:" + std::to_string(port)));
}

TEST_F(ConnectTest, DoesNotBeginWhenItIsCancelled) {
  Listener four("127.0.0.1");
  stop.request();
  EXPECT_EQ(connect("127.0.0.1", four.port()).error->kind, ErrorKind::Cancelled);
}

}  // namespace
}  // namespace causeway::net
