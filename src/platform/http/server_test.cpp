#include "platform/http/server.h"

#include <gtest/gtest.h>

#include <atomic>

#include "platform/http/detail/workspace.h"
#include "platform/http/testing/server_fixture.h"

namespace causeway::http {
namespace {

using testing::RawClient;
using testing::TestServer;
using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

Task<Result<void>> answer(ServerStream& stream, int status, std::string body) {
  const std::string_view pieces[] = {body};
  const Field fields[] = {{"Content-Type", "text/plain"}};
  co_return co_await stream.reply(status, fields, pieces);
}

/// Says what it got: "POST /x 5 hello".
Task<void> echo(ServerStream& stream) {
  auto body = co_await stream.read_body(1 << 20);
  if (!body) {
    const int status = body.error().kind == ErrorKind::TooLarge         ? 413
                       : body.error().kind == ErrorKind::Overloaded     ? 503
                       : body.error().kind == ErrorKind::InvalidRequest ? 400
                                                                        : 499;
    co_await answer(stream, status, body.error().message);
    co_return;
  }
  co_await answer(stream, 200,
                  std::string(stream.head().method_text) + " " + std::string(stream.head().target) +
                      " " + std::to_string(body->size()) + " " + std::string(*body));
}

std::string post(std::string_view body, std::string_view more = "") {
  return "POST /p HTTP/1.1\r\nHost: x\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestServer server(&echo);
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(post("hello")));
    const std::string got = client.receive();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: ")) << got;
    EXPECT_TRUE(has(got, " GMT\r\nContent-Length: 15\r\n\r\nPOST /p 5 hello")) << got;
    EXPECT_FALSE(has(got, "Connection:")) << got;
  }
  EXPECT_EQ(server.stats().accepted_total, 1u);
  EXPECT_EQ(server.stats().connections, 1u);
  client.close();
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
}

TEST(Server, ReadsBodiesOfAllSizesAndCuts) {
  TestServer server(&echo);
  RawClient client(server.port());
  for (std::size_t size : {0, 1, 1000, 16'300, 16'400, 70'000, 300'000}) {
    std::string body;
    for (std::size_t i = 0; i < size; ++i) body += static_cast<char>('a' + i % 23);
    for (std::size_t step : {std::size_t{1'000'000}, std::size_t{7'777}}) {
      const std::string bytes = post(body);
      for (std::size_t at = 0; at < bytes.size(); at += step) client.send(bytes.substr(at, step));
      const std::string got = client.receive();
      EXPECT_TRUE(got.ends_with("POST /p " + std::to_string(size) + " " + body)) << size;
    }
  }
  EXPECT_EQ(server.stats().buffered_bytes, 0u);
}

TEST(Server, ReadsChunkedBodiesInAnyCut) {
  TestServer server(&echo);
  RawClient client(server.port());
  std::string body;
  std::string chunks;
  for (int i = 0; i < 40; ++i) {
    const std::string piece(static_cast<std::size_t>(1 + i * 50), static_cast<char>('a' + i % 26));
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    body += piece;
    chunks += size + piece + "\r\n";
  }
  chunks += "0\r\nX-Trailer: 1\r\n\r\n";
  const std::string bytes =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
  for (std::size_t step : {1'000'000, 5'000, 777}) {
    for (std::size_t at = 0; at < bytes.size(); at += step) client.send(bytes.substr(at, step));
    EXPECT_TRUE(client.receive().ends_with("POST /c " + std::to_string(body.size()) + " " + body));
  }
  EXPECT_EQ(server.stats().buffered_bytes, 0u);
}

TEST(Server, ChunkedBehindAHugeHead) {
  TestServer server(&echo);
  RawClient client(server.port());
  const std::string head = "POST /c HTTP/1.1\r\nHost: x\r\nA: " + std::string(15'000, 'a') +
                           "\r\nB: " + std::string(15'000, 'b') + "\r\n";
  client.send(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel");
  std::this_thread::sleep_for(20ms);
  client.send("lo\r\n0\r\n\r\n");
  EXPECT_TRUE(client.receive().ends_with("POST /c 5 hello"));
  client.send(head + "Content-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(client.receive().ends_with("POST /c 5 hello"));
}

TEST(Server, PipelinedRequestsAreServedInOrder) {
  TestServer server(&echo);
  RawClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n" +
             post("body" + std::to_string(i));
  }
  std::thread sender([&] { client.send(bytes); });
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(client.receive().ends_with("GET /" + std::to_string(i) + " 0 "));
    ASSERT_TRUE(has(client.receive(), "body" + std::to_string(i)));
  }
  sender.join();
}

// Takes its time, and tells how many it has served.
Task<void> count(ServerStream& stream, std::atomic<int>& served) {
  std::this_thread::sleep_for(1ms);
  const std::string text = std::to_string(++served);
  const std::string_view pieces[] = {text};
  co_await stream.reply(200, {}, pieces);
}

TEST(Server, RequestsThatWereSentAheadDoNotComeBeforeThoseOfOthers) {
  std::atomic<int> served = 0;
  TestServer server([&](ServerStream& stream) { return count(stream, served); });
  constexpr int kAhead = 300;
  std::string bytes;
  for (int i = 0; i < kAhead; ++i) bytes += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  RawClient greedy(server.port()), other(server.port());
  greedy.send(bytes);
  while (served == 0) std::this_thread::sleep_for(1ms);
  const int before = served;
  other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string got = other.receive();
  EXPECT_LE(std::stoi(got.substr(got.rfind('\n') + 1)), before + 30) << got;
  for (int i = 0; i < kAhead; ++i) EXPECT_TRUE(has(greedy.receive(), "200 OK"));
}

TEST(Server, RefusesWithAStatusAndCloses) {
  TestServer server(&echo);
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413},
  };
  for (const auto& [bytes, status] : cases) {
    RawClient client(server.port());
    client.send(bytes);
    const std::string got = client.receive();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << got;
    EXPECT_TRUE(has(got, "Connection: close\r\n")) << got;
    EXPECT_TRUE(has(got, "{\"status\":" + std::to_string(status))) << got;
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(server.stats().refused_total, std::size(cases));
}

TEST(Server, ARefusalLingersUntilTheClientHasReadIt) {
  TestServer server(&echo);
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n");
  const std::string block(100'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.send(block)) << i;
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.was_reset());
}

TEST(Server, ExpectContinueOnlyWhenTheBodyIsRead) {
  TestServer server(&echo);
  RawClient client(server.port());
  client.send("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_TRUE(client.receive().ends_with("POST /e 5 hello"));
  client.send(post("hello", "Expect: 100-continue\r\n"));  // sent without waiting
  EXPECT_TRUE(client.receive().ends_with("POST /p 5 hello"));
}

Task<void> deny(ServerStream& stream) { co_await answer(stream, 401, "no"); }

TEST(Server, AnEarlyAnswerClosesWhenTheBodyIsNotThere) {
  TestServer server(&deny);
  {
    RawClient client(server.port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    const std::string got = client.receive();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 401 ")) << got;
    EXPECT_TRUE(has(got, "Connection: close")) << got;
    EXPECT_TRUE(client.ended());
  }
  RawClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send(post("hello"));  // the body is there: it is skipped and the connection kept
    const std::string got = client.receive();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 401 ") && !has(got, "Connection: close")) << got;
  }
}

TEST(Server, HeadHasNoBody) {
  TestServer server(&echo);
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string got = client.receive(true);
  EXPECT_TRUE(has(got, "Content-Length: 9\r\n")) << got;
  client.send(kGet);
  EXPECT_TRUE(client.receive().ends_with("\r\n\r\nGET / 0 "));
}

Task<void> stream_three(ServerStream& stream) {
  const Field fields[] = {{"Content-Type", "text/event-stream"},
                          {"Content-Length", "7"},
                          {"Transfer-Encoding", "gzip"},
                          {"X-Bad", "a\r\nSet-Cookie: b"}};
  stream.begin(200, fields);
  EXPECT_FALSE(stream.begun());
  for (const std::string_view text : {"one", "two", "three"}) {
    const std::string_view pieces[] = {"data: ", text, "\n\n"};
    EXPECT_TRUE(co_await stream.write(pieces));
    EXPECT_TRUE(stream.begun());
  }
  EXPECT_TRUE(co_await stream.write({}));  // an empty chunk would end the answer
  EXPECT_TRUE(co_await stream.finish());
}

TEST(Server, StreamsInChunks) {
  TestServer server(&stream_three);
  RawClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send(kGet);
    const std::string got = client.receive();
    EXPECT_TRUE(has(got, "Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n")) << got;
    EXPECT_TRUE(got.ends_with("b\r\ndata: two\n\n\r\nd\r\ndata: three\n\n\r\n0\r\n\r\n")) << got;
    EXPECT_FALSE(has(got, "Content-Length")) << got;
    EXPECT_FALSE(has(got, "gzip")) << got;
    EXPECT_FALSE(has(got, "Set-Cookie")) << got;
  }
}

TEST(Server, Http10IsDelimitedByTheClose) {
  TestServer server(&stream_three);
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string got = client.receive_all();
  EXPECT_FALSE(has(got, "Transfer-Encoding")) << got;
  EXPECT_TRUE(has(got, "Connection: close\r\n")) << got;
  EXPECT_TRUE(got.ends_with("\r\n\r\ndata: one\n\ndata: two\n\ndata: three\n\n")) << got;
}

TEST(Server, Http10MayKeepAnAnswerOfKnownLengthAlive) {
  TestServer server(&echo);
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(has(client.receive(), "Connection: keep-alive\r\n"));
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(client.receive(), "Connection: close\r\n"));
  EXPECT_TRUE(client.ended());
}

Task<void> nothing(ServerStream& stream) {
  if (stream.head().target == "/throw") throw std::runtime_error("a fault");
  if (stream.head().target == "/begin") stream.begin(200, {});
  co_return;
}

TEST(Server, AHandlerWithoutAnAnswerIsA500) {
  TestServer server(&nothing);
  for (const char* path : {"/", "/throw", "/begin"}) {
    RawClient client(server.port());
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 500 ")) << path;
    EXPECT_TRUE(client.ended());
  }
}

Task<void> cut(ServerStream& stream) {
  stream.begin(200, {});
  const std::string_view pieces[] = {"half"};
  EXPECT_TRUE(co_await stream.write(pieces));
  if (stream.head().target == "/abort") stream.abort();
}

TEST(Server, ACutAnswerIsSeenToBeCut) {
  TestServer server(&cut);
  for (const char* path : {"/abort", "/forgotten"}) {
    RawClient client(server.port());
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.receive_all().ends_with("4\r\nhalf\r\n"));
    RawClient old(server.port());
    old.send("GET " + std::string(path) + " HTTP/1.0\r\n\r\n");
    old.receive_all();
    EXPECT_TRUE(old.was_reset());
  }
}

struct Watched {
  net::Loop* loop = nullptr;
  std::atomic<int> gone = 0;
  std::atomic<int> ended = 0;
};

Server::Handler watch(Watched& watched) {
  return [&watched](ServerStream& stream) -> Task<void> {
    // The coroutine is a function of its own: a capturing lambda must not be one.
    static constexpr auto run = [](ServerStream& s, Watched& w) -> Task<void> {
      Signal left;
      s.on_gone([&left, &w] {
        ++w.gone;
        left.set();
      });
      const auto body = co_await s.read_body(1'000'000);
      EXPECT_TRUE(body);
      co_await left;
      EXPECT_TRUE(s.gone());
      auto replied = co_await answer(s, 200, "too late");
      EXPECT_FALSE(replied);
      if (!replied) {
        EXPECT_EQ(replied.error().kind, ErrorKind::Cancelled);
      }
      ++w.ended;
    };
    return run(stream, watched);
  };
}

TEST(Server, NoticesThatTheClientHasGone) {
  Watched watched;
  TestServer server(watch(watched));
  {
    RawClient client(server.port());
    client.send(post("hello"));
    EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
    EXPECT_EQ(watched.gone, 0);
    client.send(kGet);  // pipelined: read ahead, not the end
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(watched.gone, 0);
  }
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
  EXPECT_EQ(watched.gone, 1);
  EXPECT_EQ(watched.ended, 1);
}

TEST(Server, NoticesItBehindALargeBodyToo) {
  constexpr std::size_t kLongHead = 16'000;
  const std::size_t fills =  // the place behind the head to the last byte
      detail::Workspace::kCapacity - (post(std::string(kLongHead, 'x')).size() - kLongHead);
  for (const std::size_t size : {fills - 1, fills, fills + 1, std::size_t{200'000}}) {
    Watched watched;
    TestServer server(watch(watched));
    {
      RawClient client(server.port());
      client.send(post(std::string(size, 'x')));
      EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
      std::this_thread::sleep_for(20ms);
      EXPECT_EQ(watched.gone, 0);
    }
    EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
    EXPECT_EQ(watched.gone, 1) << size;
  }
}

TEST(Server, AHalfClosedClientHasGone) {
  Watched watched;
  TestServer server(watch(watched));
  RawClient client(server.port());
  client.send(kGet);
  client.shutdown_write();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(watched.ended, 1);
}

TEST(Server, ClosingEndsRunningExchanges) {
  Watched watched;
  {
    TestServer server(watch(watched));
    RawClient client(server.port());
    client.send(kGet);
    EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
  }
  EXPECT_EQ(watched.ended, 1);
}

Task<void> slow_answer(ServerStream& stream, net::Loop& loop) {
  co_await loop.sleep(100ms);
  co_await answer(stream, 200, "done");
}

TEST(Server, DrainLetsTheRunningOneEndAndClosesIdleOnes) {
  net::Loop* loop = nullptr;
  TestServer server([&loop](ServerStream& stream) { return slow_answer(stream, *loop); });
  loop = &server.loop;
  RawClient idle(server.port());
  RawClient busy(server.port());
  busy.send(kGet);
  EXPECT_TRUE(server.eventually([](const auto& stats) { return stats.active == 1; }));
  server.drain();
  EXPECT_TRUE(idle.ended());
  const std::string got = busy.receive();
  EXPECT_TRUE(has(got, "Connection: close\r\n")) << got;
  EXPECT_TRUE(got.ends_with("done")) << got;
  EXPECT_TRUE(busy.ended());
  EXPECT_FALSE(RawClient(server.port()).connected());
}

}  // namespace
}  // namespace causeway::http
