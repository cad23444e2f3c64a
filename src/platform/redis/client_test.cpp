#include "platform/redis/client.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "platform/net/loop.h"
#include "platform/redis/script.h"
#include "platform/redis/testing/redis_server.h"

namespace causeway::redis {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::RedisServer;
using Words = std::vector<std::string>;

struct Call {
  std::optional<Result<Reply>> result;
  std::chrono::nanoseconds took{};
};

Task<void> run_call(Client& client, Words words, Call& out) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  const auto begin = steady_clock::now();
  out.result = co_await client.command(views);
  out.took = steady_clock::now() - begin;
}

Task<void> run_script(Client& client, Script& script, Call& out) {
  constexpr std::array<std::string_view, 1> kKeys{"k"}, kArgs{"5"};
  out.result = co_await script.run(client, kKeys, kArgs);
}

struct RedisTest : ::testing::Test {
  net::Loop loop{0, 20ms};
  std::vector<bool> changes;

  std::unique_ptr<Client> client_of(Settings settings) {
    return make_client(loop, std::move(settings), [this](bool up) { changes.push_back(up); });
  }
  bool until(std::move_only_function<bool()> done, std::chrono::milliseconds limit = 15s) {
    return loop.run_until(std::move(done), limit);
  }
  Call call(Client& client, Words words) {
    Call out;
    spawn(run_call(client, std::move(words), out));
    EXPECT_TRUE(until([&] { return out.result.has_value(); }));
    return out;
  }
  Reply reply(Client& client, Words words) {
    Call made = call(client, std::move(words));
    EXPECT_TRUE(*made.result) << made.result->error().message << made.result->error().detail;
    return *made.result ? **made.result : Reply();
  }
  Error error(Client& client, Words words) {
    Call made = call(client, std::move(words));
    EXPECT_FALSE(*made.result);
    return *made.result ? Error() : made.result->error();
  }
  /// Asks until it is in time: with a short deadline a busy machine may be late.
  Reply patient(Client& client, const Words& words) {
    Call made = call(client, words);
    for (int i = 0; i < 20 && !*made.result; ++i) made = call(client, words);
    EXPECT_TRUE(*made.result) << made.result->error().message << made.result->error().detail;
    return *made.result ? **made.result : Reply();
  }
  /// Calls until the breaker has opened.
  void open_breaker(Client& client) {
    for (int i = 0; i < 5; ++i) error(client, {"GET", "k"});
    EXPECT_FALSE(client.answers());
  }
};

TEST_F(RedisTest, AllKindsOfReplies) {
  RedisServer server;
  ASSERT_TRUE(server.running()) << "redis-server is needed";
  const auto client = client_of(server.settings(5s));
  EXPECT_EQ(reply(*client, {"SET", "k", std::string("a\0\r\nb", 5)}).text, "OK");
  EXPECT_EQ(reply(*client, {"GET", "k"}).text, std::string("a\0\r\nb", 5));
  EXPECT_EQ(reply(*client, {"GET", "none"}).kind, Reply::Kind::Nil);
  EXPECT_EQ(reply(*client, {"INCRBY", "n", "9007199254740993"}).integer, 9007199254740993);
  const Reply wrong = reply(*client, {"INCR", "k"});
  EXPECT_EQ(wrong.kind, Reply::Kind::Error);
  EXPECT_EQ(wrong.error_code(), "ERR");
  const Reply list = reply(*client, {"EVAL", "return {1,{2,'x',{}},false}", "0"});
  ASSERT_EQ(list.items.size(), 3u);
  EXPECT_EQ(list.items[1].items[1].text, "x");
  EXPECT_TRUE(client->answers());
  EXPECT_EQ(changes, std::vector<bool>{true});
}

TEST_F(RedisTest, CommandsOfATurnGoInOneWriteAndAnswersStayInOrder) {
  RedisServer server;
  const auto client = client_of(server.settings(5s));
  reply(*client, {"PING"});
  const auto before = client->stats();
  std::vector<Call> calls(200);
  for (int i = 0; i < 200; ++i) spawn(run_call(*client, {"ECHO", std::to_string(i)}, calls[i]));
  ASSERT_TRUE(until([&] { return client->stats().outstanding == 0; }));
  for (int i = 0; i < 200; ++i) EXPECT_EQ((*calls[i].result)->text, std::to_string(i));
  EXPECT_EQ(client->stats().writes - before.writes, 1u);
}

TEST_F(RedisTest, LateRepliesAreThrownAwayAndTheOrderStaysRight) {
  RedisServer server;
  const auto client = client_of(server.settings(200ms));
  patient(*client, {"PING"});
  const auto before = client->stats();
  Call late;
  spawn(run_call(*client,
                 {"EVAL",
                  "local e=redis.call('TIME') while true do local t=redis.call('TIME') "
                  "if (t[1]-e[1])*1000000+(t[2]-e[2]) > 700000 then return 'late' end end",
                  "0"},
                 late));
  ASSERT_TRUE(until([&] { return late.result.has_value(); }));
  EXPECT_EQ(late.result->error().kind, ErrorKind::Timeout);
  EXPECT_EQ(late.result->error().code, "shared_state_timeout");
  EXPECT_GE(late.took, 200ms);
  EXPECT_LT(late.took, 600ms) << "not for the 700 that it takes";
  until([&] { return client->stats().late == before.late + 1; });
  EXPECT_EQ(client->stats().late, before.late + 1);
  EXPECT_EQ(patient(*client, {"ECHO", "right"}).text, "right");
  EXPECT_EQ(client->stats().connects, 1u);
}

TEST_F(RedisTest, APausedServerCostsTheDeadlineThenNothingAndComesBack) {
  RedisServer server;
  const auto client = client_of(server.settings());
  patient(*client, {"PING"});
  server.pause();
  for (int i = 0; i < 5; ++i) {
    const Call made = call(*client, {"GET", "k"});
    EXPECT_EQ(made.result->error().kind, ErrorKind::Timeout);
    EXPECT_LT(made.took, 900ms) << "not until the connection is given up, a second later";
  }
  EXPECT_FALSE(client->answers());
  const auto refused = client->stats().refused;
  const auto begin = steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    const Call made = call(*client, {"GET", "k"});
    ASSERT_EQ(made.result->error().code, "shared_state_lost");
  }
  EXPECT_LT(steady_clock::now() - begin, 5s) << "50 if each waited for the deadline";
  EXPECT_EQ(client->stats().refused - refused, 1000u);
  until([] { return false; }, 300ms);  // trials fail meanwhile
  EXPECT_EQ(changes, (std::vector{true, false}));
  server.go_on();
  EXPECT_TRUE(until([&] { return client->answers(); }));
  EXPECT_EQ(patient(*client, {"ECHO", "back"}).text, "back");
  EXPECT_EQ(changes, (std::vector{true, false, true}));
}

TEST_F(RedisTest, AKilledServerFailsAtOnceAndARestartedOneServes) {
  RedisServer server;
  const auto client = client_of(server.settings(5s));
  reply(*client, {"PING"});
  server.kill();
  open_breaker(*client);
  EXPECT_EQ(error(*client, {"GET", "k"}).code, "shared_state_lost");
  ASSERT_TRUE(server.start());
  EXPECT_TRUE(until([&] { return client->answers(); }));
  EXPECT_EQ(reply(*client, {"ECHO", "back"}).text, "back");
  EXPECT_EQ(changes, (std::vector{true, false, true}));
  EXPECT_EQ(client->stats().connects, 2u);
}

TEST_F(RedisTest, NobodyThereIsKnownWithoutACall) {
  Settings settings;
  settings.unix_path = "/nonexistent/socket";
  const auto client = client_of(settings);
  EXPECT_TRUE(until([&] { return !changes.empty(); }));
  EXPECT_EQ(changes, std::vector<bool>{false});
  EXPECT_EQ(error(*client, {"PING"}).code, "shared_state_lost");
}

TEST_F(RedisTest, AScriptThatWasForgottenIsSentAgain) {
  RedisServer server;
  const auto client = client_of(server.settings(5s));
  Script script("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  for (const int expected : {5, 10}) {
    Call made;
    spawn(run_script(*client, script, made));
    ASSERT_TRUE(until([&] { return made.result.has_value(); }));
    EXPECT_EQ((*made.result)->integer, expected);
  }
  reply(*client, {"SCRIPT", "FLUSH"});
  Call made;
  spawn(run_script(*client, script, made));
  ASSERT_TRUE(until([&] { return made.result.has_value(); }));
  EXPECT_EQ((*made.result)->integer, 15);
  reply(*client, {"SCRIPT", "FLUSH"});
  std::vector<Call> many(100);
  for (Call& one : many) spawn(run_script(*client, script, one));
  ASSERT_TRUE(until([&] { return many[99].result.has_value(); }));
  EXPECT_EQ((*many[99].result)->integer, 15 + 500);
  EXPECT_EQ(reply(*client, {"SCRIPT", "EXISTS", script.sha()}).items.at(0).integer, 1);
}

TEST_F(RedisTest, PasswordsRightAndWrong) {
  RedisServer server({"--requirepass", "open"});
  Settings settings = server.settings(5s);
  settings.password = Secret("open");
  EXPECT_EQ(reply(*client_of(settings), {"PING"}).text, "PONG");
  changes.clear();
  settings.password = Secret("shut");
  const auto wrong = client_of(settings);
  EXPECT_TRUE(until([&] { return !changes.empty(); }));
  EXPECT_FALSE(changes[0]);
  EXPECT_TRUE(wrong->last_failure().starts_with("WRONGPASS")) << wrong->last_failure();
  EXPECT_EQ(wrong->last_failure().find("shut"), std::string::npos);
}

TEST_F(RedisTest, AReadOnlyReplicaIsNoSharedState) {
  RedisServer server;
  const auto client = client_of(server.settings(5s));
  reply(*client, {"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_EQ(error(*client, {"SET", "k", "1"}).code, "shared_state_lost");
  EXPECT_TRUE(until([&] { return changes.size() == 2; }));
  EXPECT_FALSE(client->answers());
  const auto other = client_of(server.settings(5s));
  EXPECT_EQ(error(*other, {"REPLICAOF", "NO", "ONE"}).code, "shared_state_lost");
}

TEST_F(RedisTest, WhatWaitsIsBounded) {
  RedisServer server;
  const auto client = client_of(server.settings(5s));
  reply(*client, {"PING"});
  server.pause();
  std::vector<Call> calls(1100);
  for (Call& made : calls) spawn(run_call(*client, {"PING"}, made));
  std::size_t full = 0;
  for (const Call& made : calls) {
    if (made.result) full += made.result->error().code == "shared_state_full";
  }
  EXPECT_EQ(full, 1100u - 1024u);
  server.go_on();
  EXPECT_TRUE(until([&] { return client->stats().outstanding == 0; }));
  EXPECT_EQ((*calls[1023].result)->text, "PONG");
}

TEST_F(RedisTest, WhatRunsIsCancelledWhenTheClientEnds) {
  RedisServer server;
  auto client = client_of(server.settings(5s));
  reply(*client, {"PING"});
  server.pause();
  Call sent, unsent;
  spawn(run_call(*client, {"PING"}, sent));
  until([] { return false; }, 30ms);
  spawn(run_call(*client, {"PING"}, unsent));
  const auto begin = steady_clock::now();
  client.reset();
  EXPECT_LT(steady_clock::now() - begin, 1900ms) << "it waits for 2 s for what does not end";
  EXPECT_EQ(sent.result->error().kind, ErrorKind::Cancelled);
  EXPECT_EQ(unsent.result->error().kind, ErrorKind::Cancelled);
}

TEST_F(RedisTest, WhatWasNotSentInTimeIsNeverSent) {
  RedisServer server({"--requirepass", "open"});
  Settings settings = server.settings();
  settings.password = Secret("open");
  server.pause();  // so that the password is not answered, and nothing is sent behind it
  const auto client = client_of(settings);
  Call made = call(*client, {"INCR", "k"});
  EXPECT_EQ(made.result->error().kind, ErrorKind::Timeout);
  server.go_on();
  EXPECT_TRUE(until([&] { return client->answers(); }));
  EXPECT_EQ(patient(*client, {"GET", "k"}).kind, Reply::Kind::Nil);
  EXPECT_EQ(client->stats().connects, 1u);
}

}  // namespace
}  // namespace causeway::redis
