#include "core/access_token.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "core/exchange.h"

namespace causeway {
namespace {

using namespace std::chrono_literals;

struct Reply {
  int status = 200;
  std::string body;
};

class FakeAnswer final : public http::ClientStream {
 public:
  explicit FakeAnswer(Reply reply) : reply_(std::move(reply)) { head_.status = reply_.status; }
  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read() override { co_return std::string_view(reply_.body); }
  Task<Result<std::string_view>> read_all(std::size_t, MayHold) override {
    co_return std::string_view(reply_.body);
  }

 private:
  Reply reply_;
  http::ResponseHead head_;
};

/// Answers each call when the test says so, or when it is cancelled.
class FakeService final : public http::Client {
 public:
  Task<Result<std::unique_ptr<http::ClientStream>>> call(const http::Endpoint&,
                                                         const http::ClientRequest& request,
                                                         Cancel& cancel) override {
    ++calls;
    bodies.emplace_back(request.body.empty() ? "" : request.body[0]);
    gates.emplace_back();
    Signal& gate = gates.back();
    if (hold) {
      cancel.on_request([&gate] { gate.set(); });
      co_await gate;
      cancel.on_request(nullptr);
      if (cancel.requested()) co_return fail(ErrorKind::Cancelled, Origin::Client, "left");
    }
    co_return std::make_unique<FakeAnswer>(reply);
  }
  Stats stats() const override { return {}; }
  void close_idle() override {}

  Reply reply{200, R"({"access_token":"one","expires_in":3600,"token_type":"Bearer"})"};
  bool hold = false;
  int calls = 0;
  std::vector<std::string> bodies;
  std::deque<Signal> gates;
};

struct Got {
  Cancel cancel;
  std::optional<Result<AccessToken::Text>> result;
  std::string text() const { return std::string((**result)->reveal()); }
};

Task<void> ask(AccessToken& token, LoopContext& context, Got& got) {
  got.result.emplace(co_await token.get(context, got.cancel));
}

class AccessTokenTest : public ::testing::Test {
 protected:
  Got& ask_now() {
    Got& got = asked_.emplace_back();
    spawn(ask(token_, context_, got));
    return got;
  }

  FakeService service_;
  ManualClock clock_;
  LoopContext context_{.index = 0, .loop = nullptr, .client = &service_, .clock = &clock_};
  AccessToken token_{{}, [](Wall) -> Result<TokenRequest> {
                       TokenRequest request;
                       request.target = "/token";
                       request.body = Secret("grant_type=client_credentials");
                       return request;
                     }};
  std::deque<Got> asked_;
};

TEST_F(AccessTokenTest, IsFetchedOnceAndKept) {
  for (int i = 0; i < 3; ++i) {
    const Got& got = ask_now();
    ASSERT_TRUE(got.result && *got.result);
    EXPECT_EQ(got.text(), "one");
  }
  EXPECT_EQ(service_.calls, 1);
  EXPECT_EQ(service_.bodies[0], "grant_type=client_credentials");
}

TEST_F(AccessTokenTest, OneFetchServesAllWhoWait) {
  service_.hold = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(ask_now().result);
  EXPECT_EQ(service_.calls, 1);
  service_.gates[0].set();
  for (const Got& got : asked_) {
    ASSERT_TRUE(got.result && *got.result);
    EXPECT_EQ(got.text(), "one");
  }
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(AccessTokenTest, IsRenewedBeforeItExpiresWhileOthersUseTheOldOne) {
  ask_now();
  clock_.advance(54min);
  ask_now();
  EXPECT_EQ(service_.calls, 1) << "too early";
  clock_.advance(2min);
  service_.hold = true;
  service_.reply.body = R"({"access_token":"two","expires_in":"3600"})";
  const Got& renewing = ask_now();
  const Got& other = ask_now();
  EXPECT_FALSE(renewing.result);
  ASSERT_TRUE(other.result) << "nobody waits while the old token holds";
  EXPECT_EQ(other.text(), "one");
  service_.gates[1].set();
  EXPECT_EQ(renewing.text(), "two");
  EXPECT_EQ(ask_now().text(), "two");
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(AccessTokenTest, AFailedRenewalLeavesTheOldTokenInUse) {
  ask_now();
  clock_.advance(56min);
  service_.reply = {503, "busy"};
  EXPECT_EQ(ask_now().text(), "one");
  EXPECT_EQ(ask_now().text(), "one");
  EXPECT_EQ(service_.calls, 2) << "not with every request";
  clock_.advance(5min);
  const Got& got = ask_now();
  ASSERT_TRUE(got.result);
  ASSERT_FALSE(*got.result) << "it has expired";
  EXPECT_EQ(got.result->error().kind, ErrorKind::Unavailable);
  EXPECT_TRUE(got.result->error().retryable);
}

TEST_F(AccessTokenTest, AnotherTakesUpWhatALeavingCallerBegan) {
  service_.hold = true;
  Got& first = ask_now();
  Got& second = ask_now();
  first.cancel.request();
  ASSERT_TRUE(first.result);
  EXPECT_EQ(first.result->error().kind, ErrorKind::Cancelled);
  EXPECT_FALSE(second.result);
  EXPECT_EQ(service_.calls, 2);
  service_.gates[1].set();
  EXPECT_EQ(second.text(), "one");
}

TEST_F(AccessTokenTest, WhoLeavesWhileWaitingDisturbsNobody) {
  service_.hold = true;
  Got& first = ask_now();
  Got& second = ask_now();
  second.cancel.request();
  ASSERT_TRUE(second.result);
  EXPECT_EQ(second.result->error().kind, ErrorKind::Cancelled);
  service_.gates[0].set();
  EXPECT_EQ(first.text(), "one");
}

TEST_F(AccessTokenTest, RefusedCredentialsAreToldWithoutWhatTheServiceSaysOfThem) {
  service_.reply = {401, R"({"error":"invalid_client","error_description":"secret abc is wrong"})"};
  const Got& got = ask_now();
  const Error& error = got.result->error();
  EXPECT_EQ(error.kind, ErrorKind::UpstreamFailed);
  EXPECT_EQ(error.code, "upstream_auth");
  EXPECT_NE(error.message.find("invalid_client"), std::string::npos);
  EXPECT_EQ(error.message.find("abc"), std::string::npos);
  ask_now();
  EXPECT_EQ(service_.calls, 1) << "a wrong secret is not sent with every request";
  clock_.advance(2s);
  ask_now();
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(AccessTokenTest, WhatIsNoTokenIsAnError) {
  for (const std::string body : {"", "[]", "{}", R"({"access_token":""})", R"({"access_token":5})",
                                 R"({"access_token":"a\r\nx: y"})"}) {
    service_.reply = {200, body};
    const Got& got = ask_now();
    ASSERT_TRUE(got.result);
    ASSERT_FALSE(*got.result) << body;
    EXPECT_EQ(got.result->error().code, "token_missing") << body;
    clock_.advance(2s);
  }
}

TEST(AccessTokensTest, OneForEachSettingsAsLongAsSomebodyUsesIt) {
  AccessTokens tokens;
  int made = 0;
  const auto make = [&] {
    ++made;
    return std::make_shared<AccessToken>(http::Endpoint{}, AccessToken::Make{});
  };
  auto first = tokens.of("a", make);
  EXPECT_EQ(tokens.of("a", make), first);
  EXPECT_NE(tokens.of("b", make), first);
  EXPECT_EQ(made, 2);
  first.reset();
  (void)tokens.of("a", make);
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace causeway
