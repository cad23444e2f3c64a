#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "platform/net/loop.h"
#include "platform/net/stream.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

struct Pair {
  explicit Pair(Loop& loop) {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ours = adopt_socket(loop, fds[0]);
    theirs = fds[1];
  }
  ~Pair() { ::close(theirs); }
  std::unique_ptr<Socket> ours;
  int theirs;
};

TEST(Socket, ReadsWhatIsThereWithoutTheScheduler) {
  Loop loop;
  Pair pair(loop);
  ASSERT_EQ(::write(pair.theirs, "hello", 5), 5);
  char buffer[16];
  Op op;
  EXPECT_TRUE(pair.ours->start_read(op, buffer));
  EXPECT_EQ(op.bytes, 5u);
  EXPECT_FALSE(op.error);
}

Task<void> read_into(Stream& stream, std::string& out, std::error_code& error, bool& done) {
  char buffer[8];
  while (true) {
    auto result = co_await read(stream, buffer);
    error = result.error;
    if (!result || result.bytes == 0) break;
    out.append(buffer, result.bytes);
  }
  done = true;
}

TEST(Socket, WaitsForBytesAndSeesTheEnd) {
  Loop loop;
  Pair pair(loop);
  std::string text;
  std::error_code error;
  bool done = false;
  spawn(read_into(*pair.ours, text, error, done));
  std::thread writer([&] {
    ASSERT_EQ(::write(pair.theirs, "hello, ", 7), 7);
    std::this_thread::sleep_for(20ms);
    ASSERT_EQ(::write(pair.theirs, "world and more", 14), 14);
    ::shutdown(pair.theirs, SHUT_WR);
  });
  EXPECT_TRUE(loop.run_until([&] { return done; }, 5s));
  writer.join();
  EXPECT_EQ(text, "hello, world and more");
  EXPECT_FALSE(error);
}

TEST(Socket, CancelEndsAReadLater) {
  Loop loop;
  Pair pair(loop);
  std::string text;
  std::error_code error;
  bool done = false;
  spawn(read_into(*pair.ours, text, error, done));
  pair.ours->cancel();
  EXPECT_FALSE(done);
  EXPECT_TRUE(loop.run_until([&] { return done; }, 5s));
  EXPECT_EQ(error, std::errc::operation_canceled);
}

Task<void> write_all(Stream& stream, std::vector<std::string_view> pieces, IoResult& out,
                     bool& done) {
  out = co_await write(stream, pieces);
  done = true;
}

TEST(Socket, WritesManyPiecesToASlowReader) {
  Loop loop;
  Pair pair(loop);
  const std::string block(5000, 'x');
  std::vector<std::string_view> pieces;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    pieces.push_back(std::string_view(block).substr(0, static_cast<std::size_t>(i * 16)));
    pieces.push_back("|");
    expected.append(pieces[pieces.size() - 2]).append("|");
  }
  IoResult result;
  bool done = false;
  spawn(write_all(*pair.ours, pieces, result, done));
  EXPECT_FALSE(done) << "the socket's buffer is smaller than that";
  std::string got;
  std::thread reader([&] {
    char buffer[4096];
    while (got.size() < expected.size()) {
      const auto count = ::read(pair.theirs, buffer, sizeof buffer);
      if (count <= 0) break;
      got.append(buffer, static_cast<std::size_t>(count));
    }
  });
  EXPECT_TRUE(loop.run_until([&] { return done; }, 5s));
  reader.join();
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.bytes, expected.size());
  EXPECT_TRUE(got == expected);
}

TEST(Socket, AWriteToAClosedPeerIsAnError) {
  Loop loop;
  Pair pair(loop);
  ::shutdown(pair.theirs, SHUT_RDWR);
  IoResult result;
  bool done = false;
  spawn(write_all(*pair.ours, {"x"}, result, done));
  EXPECT_TRUE(done);
  EXPECT_EQ(result.error, std::errc::broken_pipe);
}

Task<void> try_connect(Socket& socket, Address address, IoResult& out, bool& done) {
  out = co_await connect(socket, address);
  done = true;
}

TEST(Socket, ConnectsAndIsRefused) {
  Loop loop;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = *Address::ip("127.0.0.1", 0);
  ASSERT_EQ(::bind(listener, address.data(), address.size()), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &length);
  address = Address::from(reinterpret_cast<sockaddr*>(&name), length);

  IoResult result;
  bool done = false;
  auto socket = make_socket(loop);
  spawn(try_connect(*socket, address, result, done));
  ASSERT_TRUE(loop.run_until([&] { return done; }, 5s));
  EXPECT_FALSE(result.error) << result.error.message();

  ::close(listener);
  done = false;
  auto second = make_socket(loop);
  spawn(try_connect(*second, address, result, done));
  ASSERT_TRUE(loop.run_until([&] { return done; }, 5s));
  EXPECT_EQ(result.error, std::errc::connection_refused);
}

/// Both ends of a TCP connection over loopback.
struct TcpPair {
  explicit TcpPair(Loop& loop) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = *Address::ip("127.0.0.1", 0);
    EXPECT_EQ(::bind(listener, address.data(), address.size()), 0);
    EXPECT_EQ(::listen(listener, 8), 0);
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &length);
    theirs = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(theirs, reinterpret_cast<sockaddr*>(&name), length), 0);
    ours = adopt_socket(loop, ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    ::close(listener);
  }
  ~TcpPair() { ::close(theirs); }
  std::unique_ptr<Socket> ours;
  int theirs;
};

TEST(TcpSocket, AnEndThatCameWithTheBytesIsSeen) {
  for (int round = 0; round < 50; ++round) {
    Loop loop;
    TcpPair pair(loop);
    std::string text;
    std::error_code error;
    bool done = false;
    spawn(read_into(*pair.ours, text, error, done));
    loop.run_until([] { return false; }, 1ms);
    ASSERT_EQ(::write(pair.theirs, "hello", 5), 5);  // less than the buffer: a short read
    ::shutdown(pair.theirs, SHUT_WR);
    ASSERT_TRUE(loop.run_until([&] { return done; }, 5s));
    EXPECT_EQ(text, "hello");
    EXPECT_FALSE(error);
  }
}

TEST(TcpSocket, AResetThatCameWithTheBytesIsSeen) {
  for (int round = 0; round < 50; ++round) {
    Loop loop;
    TcpPair pair(loop);
    std::string text;
    std::error_code error;
    bool done = false;
    spawn(read_into(*pair.ours, text, error, done));
    loop.run_until([] { return false; }, 1ms);
    ASSERT_EQ(::write(pair.theirs, "hello", 5), 5);
    const linger at_once{1, 0};
    ::setsockopt(pair.theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(pair.theirs, -1));
    ASSERT_TRUE(loop.run_until([&] { return done; }, 5s));
    EXPECT_EQ(text, "hello");
    EXPECT_EQ(error, std::errc::connection_reset);
  }
}

TEST(TcpSocket, EveryPieceWakesTheReader) {
  Loop loop;
  TcpPair pair(loop);
  std::string text;
  std::error_code error;
  bool done = false;
  spawn(read_into(*pair.ours, text, error, done));
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      ASSERT_EQ(::write(pair.theirs, "0123456789abcdef", 1 + i % 16), 1 + i % 16);
      if (i % 64 == 0) std::this_thread::sleep_for(1ms);
    }
    ::shutdown(pair.theirs, SHUT_WR);
  });
  EXPECT_TRUE(loop.run_until([&] { return done; }, 10s));
  writer.join();
  EXPECT_EQ(text.size(), 2000u * 17 / 2);
}

Task<void> write_forever(Stream& stream, const bool& stop, std::size_t& count) {
  const std::string_view pieces[] = {"x"};
  while (!stop) {
    if (!co_await write(stream, pieces)) break;
    ++count;
  }
}

TEST(TcpSocket, AWriterThatNeverWaitsLeavesOthersTheirTurn) {
  Loop loop;
  TcpPair pair(loop);
  bool stop = false;
  std::size_t count = 0;
  loop.post([&] { stop = true; });
  spawn(write_forever(*pair.ours, stop, count));  // would never come back by itself
  EXPECT_TRUE(loop.run_until([&] { return stop; }, 5s));
  EXPECT_GT(count, 0u);
  loop.run_until([] { return false; }, 5ms);
}

TEST(TcpSocket, AnOutOfBandByteIsNoReset) {
  Loop loop;
  TcpPair pair(loop);
  bool woken = false;
  static bool* flag;
  flag = &woken;
  Op op;
  op.complete = [](Op&) { *flag = true; };
  ASSERT_FALSE(pair.ours->start_wait(op));
  ASSERT_EQ(::send(pair.theirs, "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::write(pair.theirs, "abc", 3), 3);
  ASSERT_TRUE(loop.run_until([&] { return woken; }, 5s));
  loop.run_until([] { return false; }, 20ms);
  for (std::size_t bytes = 0; bytes < 3;) {
    std::array<char, 8> buffer;
    Op got;
    ASSERT_TRUE(pair.ours->start_read(got, buffer));
    bytes += got.bytes;
  }
  EXPECT_FALSE(pair.ours->start_wait(op)) << "there is nothing more";
}

TEST(TcpSocket, AWaitMayComeBeforeAndAfterTheBytes) {
  Loop loop;
  TcpPair pair(loop);
  for (int round = 0; round < 5; ++round) {
    Op op;
    bool woken = false;
    static bool* flag;
    flag = &woken;
    op.complete = [](Op&) { *flag = true; };
    if (round % 2 == 1) {
      ASSERT_EQ(::write(pair.theirs, "abc", 3), 3);
    }
    if (!pair.ours->start_wait(op)) {
      if (round % 2 == 0) {
        loop.run_until([&] { return woken; }, 20ms);
        EXPECT_FALSE(woken) << "nothing has come yet";
        ASSERT_EQ(::write(pair.theirs, "abc", 3), 3);
      }
      ASSERT_TRUE(loop.run_until([&] { return woken; }, 5s));
    }
    char buffer[8];
    Op got;
    ASSERT_TRUE(pair.ours->start_read(got, buffer));
    EXPECT_EQ(got.bytes, 3u);
  }
}

TEST(TcpSocket, MayBeDestroyedBeforeTheLoopHasToldTheCancel) {
  Op op;
  op.complete = [](Op&) { FAIL() << "nobody is there to be told"; };
  Loop loop;
  {
    TcpPair pair(loop);
    EXPECT_FALSE(pair.ours->start_wait(op));
  }
  loop.run_until([] { return false; }, 5ms);
  Loop second;
  TcpPair pair(second);  // destroyed before its loop, which never runs again
  EXPECT_FALSE(pair.ours->start_wait(op));
}

TEST(Address, ParsesLiteralsOnly) {
  EXPECT_EQ(Address::ip("127.0.0.1", 80)->text(), "127.0.0.1");
  EXPECT_EQ(Address::ip("::1", 80)->text(), "::1");
  EXPECT_EQ(Address::ip("::ffff:10.1.2.3", 80)->text(), "10.1.2.3");
  EXPECT_TRUE(Address::ip("127.8.8.8", 80)->is_loopback());
  EXPECT_FALSE(Address::ip("10.0.0.1", 80)->is_loopback());
  EXPECT_EQ(Address::ip("::1", 8080)->port(), 8080);
  EXPECT_FALSE(Address::ip("localhost", 80));
  EXPECT_FALSE(Address::ip("[::1]", 80));
  EXPECT_FALSE(Address::unix_socket(std::string(108, 'a')));
}

}  // namespace
}  // namespace causeway::net
