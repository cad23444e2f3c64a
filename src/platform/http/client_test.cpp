#include "platform/http/client.h"

#include <latch>

#include "platform/http/client_test_support.h"

namespace causeway::http::testing {
namespace {

/// Answers every request of every connection with its own text.
void echo(Peer& peer, int) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
    peer.answer(request);
  }
}

TEST_F(ClientTest, SendsHeadAndBodyAndReadsTheAnswer) {
  RawServer server(echo);
  Ask ask;
  ask.body = {"one,", "", "two"};
  ask.fields = {{"Authorization", "Bearer x"}, {"host", "evil"}, {"Content-length", "9"}};
  const Answer answer = fetch(server.endpoint(), ask);
  EXPECT_EQ(answer.code(), "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:" +
                             std::to_string(server.port()) +
                             "\r\nAuthorization: Bearer x\r\nContent-Length: 7\r\n\r\none,two");
  EXPECT_EQ(answer.fields.size(), 1u);
}

TEST_F(ClientTest, ReusesAConnection) {
  RawServer server(echo);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fetch(server.endpoint()).status, 200);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client->stats().opened_total, 1u);
  EXPECT_EQ(client->stats().reused_total, 4u);
  EXPECT_EQ(client->stats().idle, 1u);
  EXPECT_EQ(client->stats().open, 1u);
  client->close_idle();
  EXPECT_EQ(client->stats().open, 0u);
}

TEST_F(ClientTest, AGetHasNoContentLengthAndAnEmptyPostHasOne) {
  RawServer server(echo);
  EXPECT_EQ(get(server.endpoint()).body.find("Content-Length"), std::string::npos);
  Ask post;
  post.body.clear();
  EXPECT_NE(fetch(server.endpoint(), post).body.find("Content-Length: 0\r\n"), std::string::npos);
}

TEST_F(ClientTest, AnAddressIsConnectedToInTheNamesPlace) {
  RawServer server(echo);
  Endpoint endpoint;
  endpoint.host = "pods.invalid";
  endpoint.port = server.port();
  endpoint.address = "127.0.0.1";
  const Answer answer = fetch(endpoint);
  EXPECT_EQ(answer.status, 200) << answer.code();
  EXPECT_NE(answer.body.find("Host: pods.invalid:"), std::string::npos) << answer.body;
}

TEST_F(ClientTest, WorksOverAUnixSocket) {
  char folder[] = "/tmp/causeway_client_XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/s";
  {
    RawServer server(echo, path);
    Endpoint endpoint;
    endpoint.unix_path = path;
    endpoint.host = "model";
    for (int i = 0; i < 2; ++i) {
      const Answer answer = fetch(endpoint);  // without an id: the client makes one
      EXPECT_EQ(answer.status, 200) << answer.code();
      EXPECT_NE(answer.body.find("Host: model\r\n"), std::string::npos);
    }
    EXPECT_EQ(server.connections(), 1);
    client->close_idle();
    run_for(1ms);
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
  Endpoint gone;
  gone.unix_path = path;
  const Answer answer = fetch(gone);
  EXPECT_EQ(answer.code(), "connect_failed");
  EXPECT_EQ(answer.error->kind, ErrorKind::ConnectFailed);
}

TEST_F(ClientTest, TellsThatNobodyListens) {
  Endpoint endpoint;
  {
    RawServer server(echo);
    endpoint = server.endpoint();
  }
  const Answer answer = fetch(endpoint);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, ErrorKind::ConnectFailed);
  EXPECT_EQ(answer.error->origin, Origin::Upstream);
  EXPECT_EQ(answer.code(), "connect_failed");
  EXPECT_NE(answer.error->message.find("refused"), std::string::npos);
}

TEST_F(ClientTest, RefusesToSendWhatWouldBeginALineOfItsOwn) {
  RawServer server(echo);
  Ask ask;
  ask.fields = {{"x", "a\r\nEvil: 1"}};
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
  ask.fields = {{"x y", "a"}};
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
  ask.fields = {{"x", "a long value with tab\tand bytes \xc3\xa4 and then a nul, here: \x01"}};
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
  ask.fields = {{"x", "a long value with tab\tand bytes \xc3\xa4 and a \x7f del in the middle"}};
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
  ask.fields = {{"x", "a long value with tab\tand bytes \xc3\xa4 and nothing else, 0123456789"}};
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "");
  ask.fields.clear();
  ask.target = "/a b";
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
  ask.target = "http://host/";
  EXPECT_EQ(fetch(server.endpoint(), ask).code(), "unsendable_request");
}

TEST_F(ClientTest, DropsAnIdleConnectionThatTheUpstreamCloses) {
  RawServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("bye");
  });
  EXPECT_EQ(fetch(server.endpoint()).body, "bye");
  loop.run_until([&] { return client->stats().idle == 0; }, 5s);
  EXPECT_EQ(client->stats().open, 0u);
  EXPECT_EQ(fetch(server.endpoint()).body, "bye");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ClientTest, CallsAConnectionStaleThatEndsBeforeTheFirstByte) {
  RawServer server([](Peer& peer, int number) {
    peer.read_request();
    peer.answer("first");
    if (number > 0) return;
    peer.read_request();  // and closes without a word
  });
  EXPECT_EQ(fetch(server.endpoint()).body, "first");
  const Answer stale = fetch(server.endpoint());
  ASSERT_TRUE(stale.error);
  EXPECT_EQ(stale.error->kind, ErrorKind::ConnectFailed);
  EXPECT_EQ(stale.code(), "stale_connection");
  EXPECT_TRUE(stale.error->retryable);
  EXPECT_EQ(fetch(server.endpoint()).body, "first");
}

TEST_F(ClientTest, ANewConnectionThatEndsBeforeTheFirstByteIsNotStale) {
  RawServer server([](Peer& peer, int number) {
    peer.read_request();
    if (number == 1) peer.reset();
  });
  for (int i = 0; i < 2; ++i) {
    const Answer answer = fetch(server.endpoint());
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, ErrorKind::ConnectFailed);
    EXPECT_EQ(answer.code(), "closed_before_answer");
  }
}

TEST_F(ClientTest, DoesNotReuseWhatMustNotBe) {
  struct Case {
    const char* what;
    std::string answer;
    bool closes;
  };
  const std::vector<Case> cases = {
      {"asked to close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
       false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"bytes behind the answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1", false},
      {"delimited by the end", "HTTP/1.1 200 OK\r\n\r\nok", true},
  };
  for (const Case& one : cases) {
    RawServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.write(one.answer);
      if (one.closes) peer.shutdown_write();
      EXPECT_TRUE(peer.wait_for_end()) << one.what;
    });
    const Answer answer = fetch(server.endpoint());
    EXPECT_EQ(answer.body, "ok") << one.what;
    EXPECT_EQ(answer.code(), "") << one.what;
    EXPECT_EQ(client->stats().idle, 0u) << one.what;
    EXPECT_EQ(client->stats().open, 0u) << one.what;
    run_for(1ms);
  }
}

TEST_F(ClientTest, KeepsNoMoreThanMaxIdleAndOpensNoMoreThanMaxOpen) {
  RawServer server([](Peer& peer, int) {
    while (!peer.read_request().empty()) {
      std::this_thread::sleep_for(30ms);
      peer.answer("ok");
    }
  });
  Endpoint endpoint = server.endpoint();
  endpoint.max_idle = 1;
  endpoint.max_open = 2;
  Answer answers[3];
  Cancel cancels[3];
  for (int i = 0; i < 3; ++i) spawn(run_call(*client, endpoint, {}, cancels[i], answers[i]));
  EXPECT_TRUE(answers[2].done);
  EXPECT_EQ(answers[2].error->kind, ErrorKind::Overloaded);
  EXPECT_EQ(client->stats().open, 2u);
  EXPECT_TRUE(loop.run_until([&] { return answers[0].done && answers[1].done; }, 5s));
  EXPECT_EQ(answers[0].body, "ok");
  EXPECT_EQ(answers[1].body, "ok");
  EXPECT_EQ(client->stats().idle, 1u);
  EXPECT_EQ(client->stats().open, 1u);
}

TEST_F(ClientTest, TakesTheConnectionThatWasUsedLast) {
  std::vector<int> order;
  std::mutex mutex;
  std::latch second_is_done{1};
  RawServer server([&](Peer& peer, int number) {
    while (!peer.read_request().empty()) {
      bool first = false;
      {
        const std::lock_guard lock(mutex);
        first = order.empty();
        order.push_back(number);
      }
      if (first) second_is_done.wait();
      peer.answer("ok");
    }
  });
  const auto has_come = [&] {
    const std::lock_guard lock(mutex);
    return !order.empty();
  };
  Answer slow, quick;
  Cancel one, two;
  spawn(run_call(*client, server.endpoint(), {}, one, slow));
  EXPECT_TRUE(loop.run_until(has_come, 5s));
  spawn(run_call(*client, server.endpoint(), {}, two, quick));
  EXPECT_TRUE(loop.run_until([&] { return quick.done; }, 5s));
  second_is_done.count_down();
  EXPECT_TRUE(loop.run_until([&] { return slow.done; }, 5s));
  fetch(server.endpoint());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 0}));
}

TEST_F(ClientTest, DifferentEndpointsShareNothing) {
  RawServer server(echo);
  Endpoint a = server.endpoint();
  Endpoint b = a;
  b.id = "other";
  fetch(a);
  fetch(b);
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace causeway::http::testing
