// Bodies that are sent piece by piece.
#include <gtest/gtest.h>

#include "platform/http/client_test_support.h"

namespace causeway::http {
namespace {

using namespace causeway::http::testing;

/// Answers every request with its own text.
void echo(Peer& peer, int) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
    peer.answer(request);
  }
}

struct Pieces final : BodySource {
  std::vector<std::string> pieces;
  std::optional<std::uint64_t> announced;
  std::optional<Error> at_the_end;
  net::Loop* loop = nullptr;  // waits before each piece
  std::size_t given = 0;

  std::optional<std::uint64_t> size() const override { return announced; }
  Task<Result<std::string_view>> next() override {
    if (loop) co_await loop->sleep(std::chrono::milliseconds(5));
    if (given < pieces.size()) co_return std::string_view(pieces[given++]);
    if (at_the_end) co_return std::unexpected(*at_the_end);
    co_return std::string_view();
  }
};

Task<void> request_later(net::Loop& loop, Cancel& cancel) {
  co_await loop.sleep(std::chrono::milliseconds(30));
  cancel.request();
}

struct ClientSourceTest : ClientTest {
  Pieces source;

  Answer send(const RawServer& server) {
    Ask ask;
    ask.body.clear();
    ask.source = &source;
    return fetch(server.endpoint(), ask);
  }
};

TEST_F(ClientSourceTest, OfAKnownLength) {
  RawServer server(echo);
  source.pieces = {"one,", std::string(300'000, 'x'), "two"};
  source.announced = 300'007;
  for (net::Loop* waits : {static_cast<net::Loop*>(nullptr), &loop}) {
    source.loop = waits;
    source.given = 0;
    const Answer answer = send(server);
    EXPECT_EQ(answer.status, 200) << answer.code();
    EXPECT_NE(answer.body.find("Content-Length: 300007\r\n\r\none,xx"), std::string::npos);
    EXPECT_TRUE(answer.body.ends_with("xtwo"));
  }
  EXPECT_EQ(server.connections(), 1) << "what was sent whole leaves a connection that can be used";
}

TEST_F(ClientSourceTest, OfAnUnknownLengthGoesInChunks) {
  std::string seen;
  RawServer server([&seen](Peer& peer, int) {
    seen = peer.read_head();
    seen += peer.read_body(25);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  source.pieces = {"one", "0123456789abcdefg"};
  const Answer answer = send(server);
  EXPECT_EQ(answer.status, 200) << answer.code();
  EXPECT_NE(seen.find("Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n11\r\n0123"),
            std::string::npos)
      << seen;
  EXPECT_EQ(seen.find("Content-Length"), std::string::npos);
}

TEST_F(ClientSourceTest, NeverMoreOrLessThanWasAnnounced) {
  RawServer server(echo);
  for (const std::uint64_t announced : {2u, 4u}) {
    source.pieces = {"a", "bc"};
    source.given = 0;
    source.announced = announced;
    EXPECT_EQ(send(server).error.value().kind, ErrorKind::Internal);
    EXPECT_EQ(client->stats().open, 0u);
  }
}

TEST_F(ClientSourceTest, ItsErrorEndsTheCallAndTheConnection) {
  RawServer server(echo);
  source.pieces = {"a"};
  source.announced = 3;
  source.at_the_end.emplace().code = "the_disk";
  EXPECT_EQ(send(server).code(), "the_disk");
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientSourceTest, ARefusalEndsTheSending) {
  RawServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    peer.read_body(1 << 30);
  });
  source.pieces.assign(10'000, std::string(10'000, 'x'));
  source.announced = 100'000'000;
  source.loop = &loop;
  const Answer answer = send(server);
  EXPECT_EQ(answer.status, 413) << answer.code();
  EXPECT_EQ(answer.body, "no");
  EXPECT_LT(source.given, 1000u);
  EXPECT_EQ(client->stats().open, 0u) << "the rest of the body would be taken for a request";
}

TEST_F(ClientSourceTest, CanBeCancelledWhileItWaits) {
  RawServer server(echo);
  source.pieces.assign(1000, "x");
  source.loop = &loop;
  spawn(request_later(loop, cancel));
  EXPECT_EQ(send(server).error.value().kind, ErrorKind::Cancelled);
}

}  // namespace
}  // namespace causeway::http
