// What the server does to those who send slowly, read slowly, send too much or come too many.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <vector>

#include "platform/http/server.h"
#include "platform/http/testing/server_fixture.h"

namespace causeway::http {
namespace {

using testing::RawClient;
using testing::TestServer;
using namespace std::chrono_literals;

Task<void> length(ServerStream& stream) {
  auto body = co_await stream.read_body(100'000'000);
  std::string text;
  int status = 200;
  if (body) {
    text = std::to_string(body->size());
  } else {
    text = body.error().message;
    status = body.error().kind == ErrorKind::TooLarge     ? 413
             : body.error().kind == ErrorKind::Overloaded ? 503
             : body.error().kind == ErrorKind::Timeout    ? 408
                                                          : 499;
  }
  const std::string_view pieces[] = {text};
  co_await stream.reply(status, {}, pieces);
}

std::string head(std::size_t length) {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(ServerLimits, ASlowHeadIsCut) {
  ServerLimits limits;
  limits.header_timeout = 200ms;
  TestServer server(&length, limits);
  RawClient client(server.port());
  const auto start = std::chrono::steady_clock::now();
  const std::string bytes = head(0);
  std::thread dribble([&] {
    for (const char byte : bytes) {
      if (!client.send({&byte, 1})) break;
      std::this_thread::sleep_for(20ms);
    }
  });
  EXPECT_TRUE(client.ended());
  EXPECT_GE(seconds_since(start), 0.15);
  EXPECT_LT(seconds_since(start), 2);
  dribble.join();
}

TEST(ServerLimits, ASilentBodyIsCut) {
  ServerLimits limits;
  limits.body_timeout = 200ms;
  TestServer server(&length, limits);
  for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}}) {
    RawClient client(server.port());
    client.send(head(size) + "abc");
    const auto start = std::chrono::steady_clock::now();
    const std::string got = client.receive();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 408 ")) << got;
    EXPECT_TRUE(client.ended());
    EXPECT_LT(seconds_since(start), 2);
  }
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
  EXPECT_EQ(server.stats().buffered_bytes, 0u);
}

TEST(ServerLimits, ASilentBodyIsAnsweredAndTheRestReadAway) {
  ServerLimits limits;
  limits.body_timeout = 200ms;
  std::atomic<bool> gone = false;
  TestServer server(
      [&gone](ServerStream& stream) {
        stream.on_gone([&gone] { gone = true; });
        return length(stream);
      },
      limits);
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  const std::string got = client.receive();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 408 ")) << got;
  EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
  EXPECT_TRUE(got.ends_with("the body came too slowly")) << got;
  EXPECT_FALSE(gone) << "the client is still there";
  EXPECT_TRUE(client.send("lo\r\n")) << "what still comes is read away, not reset";
  EXPECT_TRUE(client.ended());
}

TEST(ServerLimits, AnIdleConnectionIsClosed) {
  ServerLimits limits;
  limits.keep_alive_timeout = 200ms;
  TestServer server(&length, limits);
  RawClient fresh(server.port());
  RawClient used(server.port());
  used.send(head(0));
  EXPECT_TRUE(used.receive().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(used.ended());
  EXPECT_TRUE(fresh.ended());
}

TEST(ServerLimits, BodiesAboveTheLimit) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  TestServer server(&length, limits);
  {
    RawClient client(server.port());
    client.send(head(1000) + std::string(1000, 'x'));
    EXPECT_TRUE(client.receive().ends_with("1000"));
    client.send(head(1001));
    EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 413 "));
    EXPECT_TRUE(client.ended());
  }
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) client.send("64\r\n" + std::string(100, 'x') + "\r\n");
  const std::string got = client.receive();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got;
  EXPECT_NE(got.find("Connection: close"), std::string::npos);
}

TEST(ServerLimits, TheBudgetOfBufferedBytes) {
  ServerLimits limits;
  limits.buffered_bytes = 300'000;
  TestServer server(&length, limits);
  RawClient first(server.port());
  first.send(head(250'000) + std::string(200'000, 'x'));
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.buffered_bytes >= 200'000; }));
  RawClient second(server.port());
  second.send(head(200'000) + std::string(100'000, 'x'));
  EXPECT_TRUE(second.receive().starts_with("HTTP/1.1 503 "));
  RawClient small(server.port());
  small.send(head(2000) + std::string(2000, 'x'));  // needs none of the budget
  EXPECT_TRUE(small.receive().starts_with("HTTP/1.1 200 "));
  first.send(std::string(50'000, 'x'));
  EXPECT_TRUE(first.receive().ends_with("250000"));
  EXPECT_EQ(server.stats().buffered_bytes, 0u);
}

TEST(ServerLimits, WhatAnAnswerHoldsIsOfTheSameBudget) {
  ServerLimits limits;
  limits.buffered_bytes = 300'000;
  const auto hold = [](ServerStream& stream) -> Task<void> {
    auto body = co_await stream.read_body(100'000'000);
    std::string text = stream.hold(200'000) ? "held" : "full";
    text += stream.hold(400'000) ? " held" : " full";  // the first one is still held
    const std::string_view pieces[] = {text};
    co_await stream.reply(200, {}, pieces);
  };
  TestServer server(hold, limits);
  RawClient waiting(server.port());
  waiting.send(head(250'000) + std::string(200'000, 'x'));
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.buffered_bytes >= 200'000; }));
  RawClient client(server.port());
  client.send(head(0));
  EXPECT_TRUE(client.receive().ends_with("full full"));
  waiting.send(std::string(50'000, 'x'));
  EXPECT_TRUE(waiting.receive().ends_with("full full")) << "its own body is of the budget";
  client.send(head(0));
  EXPECT_TRUE(client.receive().ends_with("held full"));
  EXPECT_EQ(server.stats().buffered_bytes, 0u);
}

Task<void> stream_without_end(ServerStream& stream, std::atomic<std::size_t>& written) {
  const std::string piece(16 * 1024, 'x');
  const std::string_view pieces[] = {piece};
  stream.begin(200, {});
  for (bool more = true; more;) {
    auto sent = co_await stream.write(pieces);
    more = sent.has_value();
    if (more) written += piece.size();
  }
}

TEST(ServerLimits, TheKernelTakesLittleForAClientThatDoesNotRead) {
  std::atomic<std::size_t> written = 0;
  TestServer server([&](ServerStream& stream) { return stream_without_end(stream, written); });
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (std::size_t before = 1; before != written;) {  // until nothing more goes out
    before = written;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_GT(written, 64u * 1024);
  EXPECT_LT(written, 1024u * 1024);
}

TEST(ServerLimits, AnnouncedButNotSentTakesLittleOfTheBudget) {
  TestServer server(&length);
  RawClient client(server.port());
  client.send(head(30'000'000) + "x");
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
  std::this_thread::sleep_for(20ms);
  EXPECT_LE(server.stats().buffered_bytes, 64u * 1024);
}

TEST(ServerLimits, ConnectionsAboveTheLimitAreClosedWhereNoneIsIdle) {
  ServerLimits limits;
  limits.connections = 2;
  TestServer server(&length, limits);
  RawClient a(server.port()), b(server.port());
  for (RawClient* client : {&a, &b}) client->send(head(2) + "x");
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 2; }));
  RawClient c(server.port());
  EXPECT_TRUE(c.ended());
  a.close();
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 1; }));
  RawClient d(server.port());
  d.send(head(0));
  EXPECT_TRUE(d.receive().starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, ConnectionsAboveTheLimitTakeThePlaceOfIdleOnes) {
  ServerLimits limits;
  limits.connections = 3;
  TestServer server(&length, limits);
  RawClient busy(server.port());
  busy.send(head(2) + "x");
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
  RawClient kept(server.port()), silent(server.port());
  kept.send(head(0));
  EXPECT_TRUE(kept.receive().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 3; }));
  std::vector<std::unique_ptr<RawClient>> late;
  for (int i = 0; i < 20; ++i) {
    auto& client = *late.emplace_back(std::make_unique<RawClient>(server.port()));
    client.send(head(0));
    ASSERT_TRUE(client.receive().starts_with("HTTP/1.1 200 ")) << i;
  }
  EXPECT_TRUE(kept.ended());
  EXPECT_TRUE(silent.ended());
  busy.send("x");
  EXPECT_TRUE(busy.receive().starts_with("HTTP/1.1 200 ")) << "who is served stays";
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections <= 3; }));
}

struct Flood {
  std::atomic<std::size_t> written = 0;
  std::atomic<int> error = -1;
};

Task<void> flood(ServerStream& stream, Flood& state) {
  const std::string block(64 * 1024, 'x');
  const std::string_view pieces[] = {block};
  stream.begin(200, {});
  for (int i = 0; i < 400; ++i) {
    auto wrote = co_await stream.write(pieces);
    if (!wrote) {
      state.error = static_cast<int>(wrote.error().kind);
      co_return;
    }
    state.written += block.size();
  }
  co_await stream.finish();
}

TEST(ServerLimits, AWriterWaitsForASlowReader) {
  Flood state;
  TestServer server([&state](ServerStream& stream) { return flood(stream, state); });
  RawClient client(server.port(), 16 * 1024);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(200ms);
  const std::size_t before = state.written;
  EXPECT_LT(before, 8u * 1024 * 1024) << "only what the kernel's buffers hold";
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(state.written, before);
  const std::string got = client.receive_until("0\r\n\r\n");
  EXPECT_GT(got.size(), 400u * 64 * 1024);
  EXPECT_EQ(state.error, -1);
}

TEST(ServerLimits, AClientThatDoesNotReadIsCut) {
  Flood state;
  ServerLimits limits;
  limits.write_timeout = 200ms;
  TestServer server([&state](ServerStream& stream) { return flood(stream, state); }, limits);
  RawClient client(server.port(), 16 * 1024);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.accepted_total == 1; }));
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
  EXPECT_EQ(state.error, static_cast<int>(ErrorKind::Cancelled));
}

struct Pieces {
  std::atomic<std::size_t> read = 0;
  std::atomic<bool> may_read = false;
};

Task<void> read_pieces(ServerStream& stream, Pieces& state, net::Loop*& loop) {
  std::uint64_t sum = 0;
  while (true) {
    while (!state.may_read) co_await loop->sleep(5ms);
    auto piece = co_await stream.read_some();
    if (!piece) co_return;
    if (piece->empty()) break;
    for (const char c : *piece) sum += static_cast<unsigned char>(c);
    state.read += piece->size();
  }
  const std::string text = std::to_string(state.read) + " " + std::to_string(sum);
  const std::string_view pieces[] = {text};
  co_await stream.reply(200, {}, pieces);
}

char pattern(std::size_t at) { return static_cast<char>(at * 31 + at / 251); }

// Whether each piece is what was sent, at once and after others had time to come.
Task<void> check_pieces(ServerStream& stream, net::Loop*& loop) {
  std::size_t at = 0, wrong = 0;
  for (int i = 0;; ++i) {
    auto piece = co_await stream.read_some();
    if (!piece || piece->empty()) break;
    for (int look = 0; look < 2; ++look) {
      for (std::size_t j = 0; j < piece->size(); ++j) wrong += (*piece)[j] != pattern(at + j);
      if (i % 3 == 0) co_await loop->sleep(1ms);
    }
    at += piece->size();
  }
  const std::string text = std::to_string(at) + " read, " + std::to_string(wrong) + " wrong";
  const std::string_view pieces[] = {text};
  co_await stream.reply(200, {}, pieces);
}

TEST(ServerLimits, WhatReadSomeGivesStaysUntilTheNextCall) {
  net::Loop* loop = nullptr;
  TestServer server([&](ServerStream& stream) { return check_pieces(stream, loop); });
  loop = &server.loop;
  std::string body(6'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = pattern(i);
  RawClient client(server.port());
  client.send(head(body.size()));
  std::thread sender([&] {
    for (std::size_t at = 0, block = 1; at < body.size();
         at += block, block = (block * 7) % 50'021) {
      client.send(body.substr(at, block));
    }
  });
  const std::string got = client.receive_until("wrong");
  sender.join();
  EXPECT_NE(got.find("6000000 read, 0 wrong"), std::string::npos) << got;
}

TEST(ServerLimits, ReadSomePausesTheSender) {
  for (const bool chunked : {false, true}) {
    Pieces state;
    net::Loop* loop = nullptr;
    TestServer server([&](ServerStream& stream) { return read_pieces(stream, state, loop); });
    loop = &server.loop;
    RawClient client(server.port());
    const std::size_t size = 20'000'000;
    std::atomic<std::size_t> sent = 0;
    std::thread sender([&] {
      const std::string block(100'000, 'a');
      client.send(chunked ? "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          : head(size));
      while (sent < size) {
        client.send(chunked ? "186a0\r\n" + block + "\r\n" : block);
        sent += block.size();
      }
      if (chunked) client.send("0\r\n\r\n");
    });
    std::this_thread::sleep_for(200ms);
    EXPECT_LT(sent, size) << "nobody reads: the sender must have been stopped by the kernel";
    EXPECT_LE(server.stats().buffered_bytes, 64u * 1024);
    state.may_read = true;
    sender.join();
    EXPECT_TRUE(client.receive().ends_with("20000000 1940000000")) << chunked;
    EXPECT_EQ(server.stats().buffered_bytes, 0u);
  }
}

TEST(ServerLimits, NoDescriptorsLeftDoesNotSpinOrStop) {
  TestServer server(&length);
  std::atomic<int> starved{0};
  server.on_starved([&starved] { ++starved; });
  RawClient before(server.port());
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 1; }));
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  // A client's descriptor is taken first; then the limit leaves none for the accepted side.
  RawClient late(server.port());
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 2; }));
  const int highest = ::dup(0);
  ::close(highest);
  rlimit tight = old;
  tight.rlim_cur = static_cast<rlim_t>(highest) + 1;
  ::setrlimit(RLIMIT_NOFILE, &tight);
  const auto waiting = std::make_unique<RawClient>(server.port());  // takes the last one
  EXPECT_TRUE(waiting->connected());  // by the kernel, into the backlog
  rusage begin{}, end{};
  ::getrusage(RUSAGE_SELF, &begin);
  std::this_thread::sleep_for(300ms);
  ::getrusage(RUSAGE_SELF, &end);
  ::setrlimit(RLIMIT_NOFILE, &old);
  const auto used = [](const rusage& usage) {
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  };
  EXPECT_LT(used(end) - used(begin), 0.1) << "accept() must not spin";
  EXPECT_GE(starved, 1);
  waiting->send(head(0));
  EXPECT_TRUE(waiting->receive().starts_with("HTTP/1.1 200 "));
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096;
}

TEST(ServerLimits, IdleConnectionsHoldNoBuffers) {
  TestServer server(&length);
  std::vector<std::unique_ptr<RawClient>> clients;
  constexpr std::size_t kCount = 400;
  clients.reserve(kCount);
  const std::size_t before = resident_bytes();
  for (std::size_t i = 0; i < kCount; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(head(3) + "abc");
    ASSERT_TRUE(clients.back()->receive().starts_with("HTTP/1.1 200 "));
  }
#ifndef CAUSEWAY_SANITIZED
  EXPECT_LT((resident_bytes() - before) / kCount, 8u * 1024);
#endif
  EXPECT_EQ(server.stats().connections, kCount);
}

}  // namespace
}  // namespace causeway::http
