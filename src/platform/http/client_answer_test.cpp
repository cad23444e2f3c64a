// What upstreams do to their answers: cut, slow, odd, huge, early.
#include <algorithm>

#include "platform/http/client_test_support.h"

namespace causeway::http::testing {
namespace {

RawServer::Script says(std::string answer, bool close = true) {
  return [answer = std::move(answer), close](Peer& peer, int) {
    peer.read_request();
    peer.write(answer);
    if (close) peer.shutdown_write();
    peer.wait_for_end();
  };
}

std::string chunk(std::string_view data) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + std::string(data) + "\r\n";
}

const std::string kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(ClientTest, GivesChunksThatArrivedTogetherTogether) {
  RawServer server(says(kChunkedHead + chunk("data: a\n\n") + chunk("data: b\n\n") +
                            chunk(std::string(300, 'x')) + "0\r\nTrailer: x\r\n\r\n",
                        false));
  Ask ask;
  ask.whole = false;
  const Answer answer = fetch(server.endpoint(), ask);
  EXPECT_EQ(answer.code(), "");
  EXPECT_EQ(answer.body, "data: a\n\ndata: b\n\n" + std::string(300, 'x'));
  EXPECT_EQ(answer.pieces.size(), 1u);
  EXPECT_EQ(client->stats().idle, 1u);
}

TEST_F(ClientTest, ReadsByteByByte) {
  for (const bool whole : {false, true}) {
    RawServer server([](Peer& peer, int) {
      for (int i = 0; i < 2; ++i) {
        peer.read_request();
        peer.dribble(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
            "\r\nX-Id: 7\r\n\r\n5\r\nhello\r\n1;ext=\"a\"\r\n,\r\n6\r\n world\r\n0\r\n\r\n");
      }
    });
    Ask ask;
    ask.whole = whole;
    for (int i = 0; i < 2; ++i) {
      const Answer answer = fetch(server.endpoint(), ask);
      EXPECT_EQ(answer.code(), "");
      EXPECT_EQ(answer.body, "hello, world");
      ASSERT_EQ(answer.fields.size(), 2u);
      EXPECT_EQ(answer.fields[1].second, "7");
    }
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST_F(ClientTest, ReadsHugeBodies) {
  std::string text(3'000'000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  std::string chunks;
  for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size * 3 % 70'001 + 1) {
    chunks += chunk(std::string_view(text).substr(at, size));
  }
  RawServer server([&](Peer& peer, int) {
    for (int i = 0; i < 2; ++i) {
      peer.read_request();
      peer.answer(text);
      peer.read_request();
      peer.write(kChunkedHead + chunks + "0\r\n\r\n");
    }
  });
  for (const bool whole : {false, true}) {
    Ask ask;
    ask.whole = whole;
    for (int i = 0; i < 2; ++i) {
      const Answer answer = fetch(server.endpoint(), ask);
      EXPECT_EQ(answer.code(), "");
      EXPECT_TRUE(answer.body == text) << answer.body.size();
    }
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, ReadAllHoldsNoMoreThanItMay) {
  const std::string text(100'000, 'x');
  for (const bool chunked : {false, true}) {
    RawServer server(says(chunked ? kChunkedHead + chunk(text) + "0\r\n\r\n"
                                  : "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + text));
    Ask ask;
    ask.room = 99'999;
    const Answer answer = fetch(server.endpoint(), ask);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::Overloaded);
    EXPECT_EQ(answer.error->code, "buffers_full");
    EXPECT_EQ(client->stats().open, 0u);
    ask.room = 200'000;  // where the size is not told, room is made by doubling
    EXPECT_EQ(fetch(server.endpoint(), ask).body.size(), 100'000u);
  }
  RawServer server(says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall"));
  Ask ask;
  ask.room = 0;
  EXPECT_EQ(fetch(server.endpoint(), ask).body, "small") << "came in one piece: nothing is held";
}

TEST_F(ClientTest, StopsAtTheLimitOfReadAll) {
  const std::string text(100'000, 'x');
  for (const bool chunked : {false, true}) {
    RawServer server(says(chunked ? kChunkedHead + chunk(text) + "0\r\n\r\n"
                                  : "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + text));
    Ask ask;
    ask.limit = 99'999;
    const Answer answer = fetch(server.endpoint(), ask);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::TooLarge);
    EXPECT_EQ(client->stats().open, 0u);
    ask.limit = 100'000;
    EXPECT_EQ(fetch(server.endpoint(), ask).body.size(), 100'000u);
  }
}

TEST_F(ClientTest, ReadsALongHeadWithItsBody) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 50; ++i)
    head += "x-" + std::to_string(i) + ": " + std::string(1000, 'v') + "\r\n";
  const std::string text(70'000, 'b');
  RawServer server([&](Peer& peer, int) {
    for (int i = 0; i < 2; ++i) {
      peer.read_request();
      peer.write(head + "Content-Length: 70000\r\n\r\n" + text);
    }
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nx: " + std::string(18'000, 'v') +
               "\r\nContent-Length: 9000\r\n\r\n" + text.substr(0, 9000));
  });
  for (int i = 0; i < 2; ++i) {
    const Answer answer = fetch(server.endpoint());
    EXPECT_EQ(answer.code(), "") << (answer.error ? answer.error->detail : "");
    EXPECT_TRUE(answer.body == text);
    ASSERT_EQ(answer.fields.size(), 51u);
    EXPECT_EQ(answer.fields[49].second, std::string(1000, 'v'));
  }
  EXPECT_EQ(fetch(server.endpoint()).body.size(), 9000u);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, RefusesAnswersThatAreNotFramedAsTheyShould) {
  std::string many_fields = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 129; ++i) many_fields += "x: 1\r\n";
  std::string interim;
  for (int i = 0; i < 17; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& answer : std::vector<std::string>{
           ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
           ok + "Content-Length: 2, 2\r\n\r\nok",
           ok + "Content-Length: +2\r\n\r\nok",
           ok + "Content-Length: 99999999999999999999999\r\n\r\nok",
           ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: xchunked\r\n\r\nok",
           ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           ok + "x: a\r\n folded\r\nContent-Length: 2\r\n\r\nok",
           ok + "no colon\r\n\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 20x OK\r\n\r\n",
           "garbage\r\n\r\n",
           std::string("\0\1\2\3 not http at all\r\n\r\n", 25),
           "SSH-2.0-OpenSSH_9.2\r\n",
           ok + "Content-Length: 2\nX: 1\r\n\r\nok",
           many_fields + "\r\n",
           ok + "x: " + std::string(70'000, 'x') + "\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
           interim + ok + "\r\n",
           ok + "Content-Len"}) {
    RawServer server(says(answer));
    const Answer got = fetch(server.endpoint());
    ASSERT_TRUE(got.error) << answer.substr(0, 100);
    EXPECT_EQ(got.error->kind, ErrorKind::UpstreamBroken) << answer.substr(0, 100);
    EXPECT_EQ(got.error->origin, Origin::Upstream);
    EXPECT_FALSE(got.failed_in_body) << answer.substr(0, 100);
    EXPECT_EQ(client->stats().open, 0u);
  }
}

TEST_F(ClientTest, NoticesABodyThatIsCut) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& answer : std::vector<std::string>{
           ok + "Content-Length: 10\r\n\r\nnine", kChunkedHead, kChunkedHead + chunk("data: a\n\n"),
           kChunkedHead + chunk("data: a\n\n") + "0\r\n",
           kChunkedHead + chunk("data: a\n\n") + "ff\r\nhalf",
           kChunkedHead + chunk("data: a\n\n") + "zz\r\n", kChunkedHead + "-1\r\n\r\n",
           kChunkedHead + chunk("a") + "1\r\nabc\r\n"}) {
    for (const bool whole : {false, true}) {
      RawServer server(says(answer));
      Ask ask;
      ask.whole = whole;
      const Answer got = fetch(server.endpoint(), ask);
      ASSERT_TRUE(got.error) << answer;
      EXPECT_EQ(got.error->kind, ErrorKind::UpstreamBroken) << answer;
      EXPECT_TRUE(got.failed_in_body);
      EXPECT_EQ(got.status, 200);
      EXPECT_EQ(client->stats().open, 0u);
    }
  }
}

TEST_F(ClientTest, AResetInABodyThatEndsWithTheConnectionIsACut) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\n\r\nhalf");
    peer.reset();
  });
  Ask ask;
  ask.whole = false;
  const Answer got = fetch(server.endpoint(), ask);
  EXPECT_EQ(got.body, "half");
  EXPECT_EQ(got.error->kind, ErrorKind::UpstreamBroken);
}

TEST_F(ClientTest, KnowsAnswersWithoutABody) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 204 No Content\r\n\r\n");
    peer.read_request();
    peer.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n");
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    peer.read_request();
    peer.answer("");
  });
  EXPECT_EQ(get(server.endpoint()).status, 204);
  EXPECT_EQ(get(server.endpoint()).status, 304);
  Ask head;
  head.method = "HEAD";
  head.body.clear();
  EXPECT_EQ(fetch(server.endpoint(), head).status, 200);
  EXPECT_EQ(get(server.endpoint()).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, HearsAnUpstreamThatRefusesWhileTheRequestIsStillSent) {
  for (const bool resets : {false, true}) {
    RawServer server([resets](Peer& peer, int) {
      peer.read_head();
      peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
      if (!resets) peer.shutdown_write();
      if (resets) return;  // closing with unread bytes resets
      std::this_thread::sleep_for(50ms);
    });
    Ask ask;
    ask.body = {std::string(20'000'000, 'x'), std::string(1'000'000, 'y')};
    const Answer answer = fetch(server.endpoint(), ask);
    EXPECT_EQ(answer.status, 413) << answer.code();
    EXPECT_EQ(answer.body, "big") << answer.code();
    EXPECT_EQ(client->stats().open, 0u);
  }
}

TEST_F(ClientTest, SendsOnWhenTheAnswerBeginsBeforeTheRequestHasEnded) {
  std::size_t received = 0;
  RawServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write(kChunkedHead + chunk("first"));
    std::this_thread::sleep_for(30ms);
    received = peer.read_body(20'000'000).size();
    peer.write(chunk(",second") + "0\r\n\r\n");
    peer.wait_for_end();
  });
  Ask ask;
  ask.body = {std::string(20'000'000, 'x')};
  const Answer answer = fetch(server.endpoint(), ask);
  EXPECT_EQ(answer.code(), "");
  EXPECT_EQ(answer.body, "first,second");
  EXPECT_EQ(received, 20'000'000u);
  EXPECT_EQ(client->stats().idle, 1u);
}

TEST_F(ClientTest, SendsManyPiecesInOrder) {
  RawServer server([](Peer& peer, int) { peer.answer(peer.read_request()); });
  Ask ask;
  ask.body.clear();
  std::string all;
  for (int i = 0; i < 1000; ++i) all += ask.body.emplace_back(std::to_string(i) + ",");
  const Answer answer = fetch(server.endpoint(), ask);
  EXPECT_TRUE(answer.body.ends_with("\r\n\r\n" + all));
}

TEST_F(ClientTest, AnUpstreamThatClosesItsSideAfterTheAnswerIsNotUsedAgain) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("ok");
    peer.shutdown_write();
    EXPECT_TRUE(peer.wait_for_end());
  });
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(fetch(server.endpoint()).body, "ok");
    EXPECT_TRUE(loop.run_until([&] { return client->stats().open == 0; }, 5s));
  }
  EXPECT_EQ(server.connections(), 2);
}

struct Late {
  const char* code;
  Timeouts timeouts;
};

TEST_F(ClientTest, KeepsDeadlines) {
  for (const Late& late : {
           Late{"first_byte_timeout", {5s, 40ms, 5s, 10s}},
           Late{"total_timeout", {5s, 5s, 5s, 40ms}},
       }) {
    RawServer server([](Peer& peer, int) { EXPECT_TRUE(peer.wait_for_end()); });
    Ask ask;
    ask.timeouts = late.timeouts;
    const Answer answer = fetch(server.endpoint(), ask);
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::Timeout);
    EXPECT_EQ(answer.code(), late.code);
    EXPECT_EQ(client->stats().open, 0u);
    run_for(1ms);
  }
}

TEST_F(ClientTest, KeepsDeadlinesWithinTheBody) {
  for (const bool whole : {true, false}) {
    for (const Late& late :
         {Late{"idle_timeout", {5s, 5s, 60ms, 10s}}, Late{"total_timeout", {5s, 5s, 5s, 500ms}}}) {
      RawServer server([](Peer& peer, int) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        for (int i = 0; i < 3; ++i) {
          std::this_thread::sleep_for(10ms);
          peer.write("x");
        }
        peer.wait_for_end();
      });
      Ask ask;
      ask.timeouts = late.timeouts;
      ask.whole = whole;
      const Answer answer = fetch(server.endpoint(), ask);
      ASSERT_TRUE(answer.error);
      EXPECT_EQ(answer.error->kind, ErrorKind::Timeout);
      EXPECT_EQ(answer.code(), late.code);
      EXPECT_TRUE(answer.failed_in_body);
      EXPECT_EQ(client->stats().open, 0u);
      run_for(1ms);
    }
  }
}

TEST_F(ClientTest, AConnectThatGetsNoAnswerTimesOut) {
  // A Unix socket's full backlog refuses at once, a TCP one's drops SYNs.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fillers;
  for (int i = 0; i < 3; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = ntohs(address.sin_port);
  Ask ask;
  ask.timeouts.connect = 50ms;
  const Answer answer = fetch(endpoint, ask);
  EXPECT_EQ(answer.code(), "connect_timeout");
  EXPECT_EQ(client->stats().open, 0u);
  for (const int fd : fillers) ::close(fd);
  ::close(listener);
}

TEST_F(ClientTest, IsCancelledBeforeTheAnswer) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    EXPECT_TRUE(peer.wait_for_end());
  });
  Answer answer;
  spawn(run_call(*client, server.endpoint(), {}, cancel, answer));
  run_for(30ms);
  EXPECT_FALSE(answer.done);
  cancel.request();
  EXPECT_FALSE(answer.done);  // later, from the loop
  EXPECT_TRUE(loop.run_until([&] { return answer.done; }, 5s));
  EXPECT_EQ(answer.error->kind, ErrorKind::Cancelled);
  EXPECT_EQ(client->stats().open, 0u);
  const Answer again = fetch(server.endpoint());  // of the same Cancel: does not begin
  EXPECT_EQ(again.error->kind, ErrorKind::Cancelled);
}

TEST_F(ClientTest, IsCancelledWhileItSends) {
  RawServer server([](Peer& peer, int) {
    std::this_thread::sleep_for(100ms);
    EXPECT_TRUE(peer.wait_for_end());
  });
  Answer answer;
  Ask ask;
  ask.body = {std::string(30'000'000, 'x')};
  spawn(run_call(*client, server.endpoint(), ask, cancel, answer));
  run_for(30ms);
  cancel.request();
  EXPECT_TRUE(loop.run_until([&] { return answer.done; }, 5s));
  EXPECT_EQ(answer.error->kind, ErrorKind::Cancelled);
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientTest, IsCancelledWithinTheBody) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(kChunkedHead + chunk("data: a\n\n"));
    EXPECT_TRUE(peer.wait_for_end());
  });
  Answer answer;
  Ask ask;
  ask.whole = false;
  spawn(run_call(*client, server.endpoint(), ask, cancel, answer));
  EXPECT_TRUE(loop.run_until([&] { return !answer.pieces.empty(); }, 5s));
  cancel.request();
  EXPECT_TRUE(loop.run_until([&] { return answer.done; }, 5s));
  EXPECT_EQ(answer.error->kind, ErrorKind::Cancelled);
  EXPECT_EQ(answer.body, "data: a\n\n");
  EXPECT_EQ(client->stats().open, 0u);
}

Task<void> drop_after_first_piece(Client& client, Endpoint endpoint, Cancel& cancel, bool& done) {
  ClientRequest request;
  request.target = "/";
  auto stream = co_await client.call(endpoint, request, cancel);
  EXPECT_TRUE(stream);
  auto piece = co_await (*stream)->read();
  EXPECT_TRUE(piece);
  EXPECT_EQ(*piece, "data: a\n\n");
  stream->reset();
  done = true;
}

TEST_F(ClientTest, DroppingTheStreamClosesTheConnection) {
  std::atomic<bool> closed = false;
  RawServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write(kChunkedHead + chunk("data: a\n\n"));
    closed = peer.wait_for_end();
  });
  bool done = false;
  spawn(drop_after_first_piece(*client, server.endpoint(), cancel, done));
  EXPECT_TRUE(loop.run_until([&] { return done && closed; }, 5s));
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientTest, RunsManyCallsAtOnce) {
  RawServer server([](Peer& peer, int) {
    for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) peer.answer(r);
  });
  constexpr int kCalls = 40;
  std::vector<Answer> answers(kCalls);
  std::vector<Cancel> cancels(kCalls);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < kCalls; ++i) {
      answers[i] = {};
      Ask ask;
      ask.body = {"body " + std::to_string(i)};
      spawn(run_call(*client, server.endpoint(), ask, cancels[i], answers[i]));
    }
    EXPECT_TRUE(loop.run_until(
        [&] { return std::ranges::all_of(answers, [](const Answer& a) { return a.done; }); }, 10s));
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_TRUE(answers[i].body.ends_with("\r\n\r\nbody " + std::to_string(i)));
    }
  }
  EXPECT_EQ(server.connections(), kCalls);
  EXPECT_EQ(client->stats().idle, static_cast<std::size_t>(kCalls));
}

}  // namespace
}  // namespace causeway::http::testing
