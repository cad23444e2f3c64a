// Servers that do not speak as Redis does: a scripted socket.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "platform/net/loop.h"
#include "platform/redis/client.h"
#include "platform/redis/reply.h"
#include "platform/redis/settings.h"

namespace causeway::redis {
namespace {

using namespace std::chrono_literals;

/// Answers what the client sends first (its trial) with OK and what comes then with `text`.
class Scripted {
 public:
  explicit Scripted(std::string text) : text_(std::move(text)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "resp-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 16);
    thread_ = std::thread([this] { serve(); });
  }
  ~Scripted() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/socket"; }

 private:
  void serve() const {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      char buffer[4096];
      if (::recv(fd, buffer, sizeof buffer, 0) > 0) {
        send(fd, "+OK\r\n");
        if (::recv(fd, buffer, sizeof buffer, 0) > 0) send(fd, text_);
        (void)::recv(fd, buffer, sizeof buffer, 0);  // until the client gives up
      }
      ::close(fd);
    }
  }
  static void send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  std::string text_, folder_;
  int listener_ = -1;
  std::thread thread_;
};

Task<void> ping(Client& client, std::optional<Result<Reply>>& out) {
  constexpr std::array<std::string_view, 1> kWords{"PING"};
  out = co_await client.command(kWords);
}

struct HostileTest : ::testing::TestWithParam<std::string> {};

TEST_P(HostileTest, EndsTheConnectionAndNotTheProgram) {
  Scripted server(GetParam());
  net::Loop loop(0, 20ms);
  Settings settings;
  settings.unix_path = server.path();
  settings.timeout = 10s;
  const auto client = make_client(loop, settings, nullptr);
  std::optional<Result<Reply>> result;
  spawn(ping(*client, result));
  ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }, 20s));
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, "shared_state_lost");
  EXPECT_TRUE(loop.run_until([&] { return client->stats().connects >= 2; }, 20s));
}

INSTANTIATE_TEST_SUITE_P(
    Replies, HostileTest,
    ::testing::Values("HTTP/1.1 400 Bad Request\r\n\r\n", "*-5\r\n", "$99999999999999999999\r\n",
                      ":12x\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
                      "$2000000\r\n" + std::string(1'500'000, 'x')));

Result<Reply> read_all(const std::string& bytes, std::size_t piece) {
  ReplyReader reader;
  Reply reply;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(std::string_view(bytes).substr(at, piece));
    auto whole = reader.next(reply);
    if (!whole) return pass(std::move(whole));
    if (*whole) return reply;
  }
  return fail(ErrorKind::Internal, Origin::Us, "cut");
}

TEST(ReplyReaderTest, SizesAreBoundedHoweverItIsCut) {
  const std::string many = "*20000\r\n" + [] {
    std::string items;
    for (int i = 0; i < 20000; ++i) items += ":1\r\n";
    return items;
  }();
  EXPECT_EQ(read_all(many, 4096).error().kind, ErrorKind::UpstreamBroken);
  EXPECT_EQ(read_all("*2147483647\r\n:1\r\n", 4096).error().message, "cut");  // nothing reserved
  for (const std::size_t piece : {1, 2, 7, 100}) {
    const auto reply = read_all("*3\r\n$2\r\n\r\n\r\n*2\r\n:-7\r\n+ok\r\n$-1\r\n", piece);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->items[0].text, "\r\n");
    EXPECT_EQ(reply->items[1].items[0].integer, -7);
    EXPECT_EQ(reply->items[2].kind, Reply::Kind::Nil);
  }
}

TEST(RedisUrl, WhatItCanBe) {
  const auto full = parse_url("rediss://app:p%40ss@redis.example:7000/3");
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->user, "app");
  EXPECT_EQ(full->password.reveal(), "p@ss");
  EXPECT_EQ(full->place(), "rediss://redis.example:7000/3");
  EXPECT_EQ(parse_url("redis://:secret@h")->place(), "redis://h:6379/0");
  EXPECT_EQ(parse_url("redis://[::1]:7")->host, "::1");
  EXPECT_EQ(parse_url("unix:///run/redis.sock?db=2")->database, 2u);
  for (const char* wrong :
       {"", "http://h", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x",
        "redis://user@h", "redis://user:@h", "unix://relative", "redis://a b"}) {
    const auto made = parse_url(wrong);
    EXPECT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().kind, ErrorKind::InvalidRequest);
  }
}

}  // namespace
}  // namespace causeway::redis
