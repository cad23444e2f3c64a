#include "app/probes.h"

#include <gtest/gtest.h>

#include "core/members.h"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;

class Answer final : public http::ClientStream {
 public:
  explicit Answer(int status) { head_.status = status; }
  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read() override { co_return std::string_view(); }
  Task<Result<std::string_view>> read_all(std::size_t, MayHold) override {
    co_return std::string_view();
  }

 private:
  http::ResponseHead head_;
};

/// Answers each host with its status, 0 = it cannot be reached; notes what it was asked.
class Client final : public http::Client {
 public:
  explicit Client(net::Loop& loop) : loop_(loop) {}
  std::map<std::string, int> statuses;
  std::vector<std::string> asked;  // "host path key"
  std::map<std::string, int> at_once;
  int most_at_once = 0;  // at one host

  Task<Result<std::unique_ptr<http::ClientStream>>> call(const http::Endpoint& endpoint,
                                                         const http::ClientRequest& request,
                                                         Cancel&) override {
    const std::string host = endpoint.host;
    std::string key = "-";
    for (const auto& field : request.fields) key = field.value;
    asked.push_back(host + " " + std::string(request.target) + " " + key);
    most_at_once = std::max(most_at_once, ++at_once[host]);
    co_await loop_.sleep(20ms);
    --at_once[host];
    if (statuses[host] == 0) {
      co_return fail(ErrorKind::ConnectFailed, Origin::Upstream, "not there", "connect_failed");
    }
    co_return std::make_unique<Answer>(statuses[host]);
  }
  Stats stats() const override { return {}; }
  void close_idle() override {}

 private:
  net::Loop& loop_;
};

class Asked final : public Provider {
 public:
  explicit Asked(std::string host) : key_("key of " + host) {
    endpoint_.host = std::move(host);
    fields_[0] = {"authorization", key_};
  }
  std::string_view name() const override { return "gpu"; }
  std::string_view kind() const override { return "openai"; }
  Zone zone() const override { return Zone::Internal; }
  const Dialect& dialect(const Operation&, const Target&) const override { std::abort(); }
  std::optional<Call> listing_call() const override {
    return Call{&endpoint_, "/v1/models", fields_, nullptr, nullptr, nullptr};
  }

 private:
  std::string key_;
  http::Endpoint endpoint_;
  std::array<http::Field, 1> fields_;
};

struct ProbesTest : ::testing::Test {
  ProbesTest() {
    config_.every = 50ms;
    client_.statuses = {{"a", 200}, {"b", 204}};
  }
  std::shared_ptr<Snapshot> snapshot(const std::vector<std::string>& hosts) {
    auto made = std::make_shared<Snapshot>();
    ProviderMembers members;
    for (const auto& host : hosts) members.all.push_back({host, std::make_unique<Asked>(host)});
    made->providers.emplace("gpu", std::move(members));
    return made;
  }
  void configure(const std::vector<std::string>& hosts) {
    probes_.configure(snapshot(hosts), {{"gpu", config_}});
  }
  bool ticks(const std::function<bool()>& done, std::chrono::milliseconds limit = 3s) {
    return loop_.run_until(
        [&] {
          probes_.tick();
          return done();
        },
        limit);
  }
  bool becomes(const std::string& host, std::optional<bool> well) {
    return ticks([&] { return probes_.well("gpu", host) == well; });
  }
  void TearDown() override {
    probes_.close();
    EXPECT_TRUE(ticks([&] { return probes_.idle(); }));
  }

  net::Loop loop_{0, 10ms};
  SystemClock clock_;
  std::vector<std::string> lines_;
  log::Log log_{{.sink = [this](std::string_view line) { lines_.emplace_back(line); }}, clock_};
  Client client_{loop_};
  std::vector<std::string> told_;
  Probes probes_{
      {loop_, client_, log_, [this](std::string_view provider, std::string_view member, bool well) {
         told_.push_back(std::string(provider) + " " + std::string(member) +
                         (well ? " well" : " not well"));
       }}};
  ProbeConfig config_;
};

TEST_F(ProbesTest, TellsOnceWhoIsWell) {
  configure({"a", "b"});
  EXPECT_EQ(probes_.well("gpu", "a"), std::nullopt);
  EXPECT_TRUE(becomes("a", true) && becomes("b", true));
  ticks([] { return false; }, 300ms);
  std::ranges::sort(told_);
  EXPECT_EQ(told_, (std::vector<std::string>{"gpu a well", "gpu b well"}));
  EXPECT_EQ(client_.asked.front().substr(1),
            " /health key of " + client_.asked.front().substr(0, 1));
  EXPECT_EQ(client_.most_at_once, 1);
}

TEST_F(ProbesTest, SeveralFailuresInARowTurnAndOneSuccessTurnsBack) {
  config_.failures = 3;
  configure({"a"});
  EXPECT_TRUE(becomes("a", true));
  client_.statuses["a"] = 503;
  const std::size_t before = client_.asked.size();
  EXPECT_TRUE(becomes("a", false));
  EXPECT_EQ(client_.asked.size() - before, 3u);
  // As long as it lasts it is told: targets that are first asked later must hear of it.
  EXPECT_TRUE(ticks([&] { return told_.size() >= 4; }));
  client_.statuses["a"] = 200;
  EXPECT_TRUE(becomes("a", true));
  EXPECT_EQ(told_.back(), "gpu a well");
  EXPECT_EQ(lines_.size(), 3u);
}

TEST_F(ProbesTest, WhoCannotBeReachedIsNotWell) {
  client_.statuses["a"] = 0;
  configure({"a"});
  EXPECT_TRUE(becomes("a", false));
}

TEST_F(ProbesTest, AUrlIsAskedWithoutCredentials) {
  config_.path = "http://elsewhere/up";
  client_.statuses["elsewhere"] = 200;
  configure({"a"});
  EXPECT_TRUE(becomes("a", true));
  EXPECT_EQ(client_.asked.front(), "elsewhere /up -");
}

TEST_F(ProbesTest, WhatIsKnownStaysWithANewSnapshot) {
  client_.statuses["a"] = 500;
  configure({"a"});
  EXPECT_TRUE(becomes("a", false));
  configure({"a", "b"});
  EXPECT_EQ(probes_.well("gpu", "a"), false);
  configure({"b"});
  EXPECT_EQ(probes_.well("gpu", "a"), std::nullopt);
  EXPECT_TRUE(becomes("b", true));
}

}  // namespace
}  // namespace causeway::app
