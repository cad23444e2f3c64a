// The life of a request, without sockets. The rewriting stage is the example that every stage with
// text in both directions follows.
#include <gtest/gtest.h>

#include "core/stage.h"
#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using testing::chunk;
using testing::chunk_end;
using testing::completion;
using testing::contents_of;
using testing::Script;
using testing::World;

constexpr const char* kAsk = R"({ "model" : "m", "messages":[{"role":"user","content":"hi"}] })";
constexpr const char* kAskStream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";

Script whole(std::string content) { return {.pieces = {completion(content)}}; }
Script events(std::vector<std::string> pieces) {
  return {.fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

/// Replaces one word by another in requests for external targets and in answers, wherever the word
/// is cut by the stream.
class Rewrite final : public Stage {
 public:
  Rewrite(std::string word, std::string with) : word_(std::move(word)), with_(std::move(with)) {}
  std::string_view name() const override { return "rewrite"; }
  unsigned hooks() const override { return kOnAttempt | kOnEvent | kOnDone; }
  Hold hold(const Sections&) const override {
    return Hold::window(static_cast<std::uint32_t>(word_.size()));
  }
  Verdict on_attempt(Exchange&, Attempt& attempt) override {
    if (attempt.target->provider->zone() == Zone::Internal) return go_on();
    for (Text text : attempt.request.texts()) {
      std::string all(text.get());
      const auto at = all.find(word_);
      if (at == std::string::npos) continue;
      text.set(all.replace(at, word_.size(), with_));
    }
    return go_on();
  }
  Verdict on_event(Exchange&, Event& event) override {
    if (event.kind != EventKind::Text) return go_on();
    for (auto at = event.text->get().find(word_); at != std::string_view::npos;
         at = event.text->get().find(word_, at + with_.size())) {
      event.text->replace(at, at + word_.size(), with_);
    }
    return go_on();
  }
  void on_done(Exchange&, const Outcome&) noexcept override { ++done; }
  int done = 0;

 private:
  std::string word_, with_;
};

TEST(Runner, UntouchedBytesLeaveAsTheyCame) {
  World world;
  world.client.scripts.push_back(whole("hello"));
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(stream->body, completion("hello"));
  ASSERT_EQ(world.client.sent.size(), 1u);
  EXPECT_EQ(world.client.sent[0],
            R"({ "model" : "up", "messages":[{"role":"user","content":"hi"}] })");
  EXPECT_EQ(world.client.targets[0], "/v1/chat/completions");
}

TEST(Runner, AStreamIsAskedForUsageAndTheExtraEventIsWithheld) {
  World world;
  const std::string usage =
      R"(data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})"
      "\n\n";
  const std::string end = chunk_end();
  const auto stop_and_done = end.find("data: [DONE]");
  world.client.scripts.push_back(
      events({chunk("hel"), chunk("lo"),
              end.substr(0, stop_and_done) + usage + end.substr(stop_and_done)}));
  auto stream = world.chat(kAskStream);
  EXPECT_NE(world.client.sent[0].find(R"("stream_options":{"include_usage":true})"),
            std::string::npos);
  EXPECT_EQ(stream->body, chunk("hel") + chunk("lo") + end);
  EXPECT_TRUE(stream->finished);
}

/// Prices every answer, as the ledger does.
class Prices final : public Stage {
 public:
  std::string_view name() const override { return "prices"; }
  unsigned hooks() const override { return kOnUsage; }
  void on_usage(Exchange& exchange, const Usage& usage) noexcept override {
    exchange.cost_micros = static_cast<std::int64_t>(usage.input());
  }
};

TEST(Runner, TheCostStandsInTheHeadOrInTheUsageOfAStream) {
  Prices prices;
  World world({&prices});
  world.client.scripts.push_back(whole("hello"));
  auto answer = world.chat(kAsk);
  EXPECT_EQ(answer->fields["x-causeway-cost"], "0.000003");
  EXPECT_EQ(answer->body, completion("hello"));

  const std::string usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n";
  const std::string with_cost =
      "data: {\"choices\":[],\"usage\":{\"cost\":0.000003,\"prompt_tokens\":3}}\n\n";
  world.client.scripts.push_back(events({chunk("hello"), usage, "data: [DONE]\n\n"}));
  auto stream = world.chat(
      R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(stream->body, chunk("hello") + with_cost + "data: [DONE]\n\n");
}

/// Sees what had gone out when the exchange was settled.
class Settles final : public Stage {
 public:
  std::string_view name() const override { return "settles"; }
  unsigned hooks() const override { return kOnRequest | kOnSettle | kOnDone; }
  void on_settle(Exchange& exchange, const Outcome& outcome) noexcept override {
    ++settled;
    const auto& stream = static_cast<const testing::FakeStream&>(*exchange.stream);
    sent = stream.body;
    usage = outcome.usage;
    status = outcome.status;
  }
  void on_done(Exchange&, const Outcome&) noexcept override { EXPECT_EQ(settled, ++done); }
  int settled = 0, done = 0, status = 0;
  std::string sent;
  Usage usage;
};

TEST(Runner, AnAnswerIsSettledBeforeItsLastBytesGoOut) {
  Settles settles;
  World world({&settles});
  world.client.scripts.push_back(whole("hello"));
  world.chat(kAsk);
  EXPECT_EQ(settles.settled, 1);
  EXPECT_EQ(settles.sent, "");
  EXPECT_EQ(settles.status, 200);
  EXPECT_NE(settles.usage.source, UsageSource::None);

  const std::string end = chunk_end();
  world.client.scripts.push_back(events({chunk("hello"), end}));
  EXPECT_EQ(world.chat(kAskStream)->body, chunk("hello") + end);
  EXPECT_EQ(settles.settled, 2);
  EXPECT_EQ(settles.sent, chunk("hello"));
  EXPECT_EQ(settles.usage.source, UsageSource::Estimated);

  world.client.scripts.push_back({.refused = true});
  world.client.scripts.push_back({.refused = true});
  world.chat(kAsk);
  EXPECT_EQ(settles.settled, 3);
  EXPECT_EQ(settles.done, 3);
  EXPECT_NE(settles.status, 200);
}

/// Takes its time.
class Slow final : public Stage {
 public:
  explicit Slow(World** world) : world_(world) {}
  std::string_view name() const override { return "slow"; }
  unsigned hooks() const override { return kOnRequest; }
  Verdict on_request(Exchange&) override {
    (*world_)->clock.advance(std::chrono::microseconds(1500));
    return go_on();
  }

 private:
  World** world_;
};

TEST(Runner, TheHeadTellsWhatOfTheWaitWasOurs) {
  World* where = nullptr;
  Slow slow(&where);
  World world({&slow});
  where = &world;
  world.client.scripts.push_back(whole("hello"));
  EXPECT_EQ(world.chat(kAsk)->fields["x-causeway-overhead-ms"], "1.5");

  Script script = events({chunk("hello"), chunk_end()});
  script.before_piece = [&](std::size_t) { world.clock.advance(std::chrono::milliseconds(250)); };
  world.client.scripts.push_back(script);
  EXPECT_EQ(world.chat(kAskStream)->fields["x-causeway-overhead-ms"], "1.5");
}

TEST(Runner, AWordIsReplacedWhereverTheStreamIsCut) {
  const std::string answer = "say secret and secret, then sec ret.";
  const std::string expected = "say ****** and ******, then sec ret.";
  for (std::size_t size = 1; size <= answer.size(); ++size) {
    Rewrite rewrite("secret", "******");
    World world({&rewrite});
    std::string all;
    for (std::size_t at = 0; at < answer.size(); at += size) all += chunk(answer.substr(at, size));
    all += chunk_end();
    world.client.scripts.push_back(events({all}));
    auto stream = world.chat(kAskStream);
    EXPECT_EQ(contents_of(stream->body), expected) << "chunks of " << size;
    EXPECT_TRUE(stream->body.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(rewrite.done, 1);
  }
}

TEST(Runner, BytesOfTheStreamMayBeCutAnywhere) {
  const std::string all = chunk("a secret") + chunk(" word") + chunk_end();
  for (std::size_t size = 1; size <= all.size(); ++size) {
    Rewrite rewrite("secret", "public");
    World world({&rewrite});
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < all.size(); at += size) pieces.push_back(all.substr(at, size));
    world.client.scripts.push_back(events(std::move(pieces)));
    auto stream = world.chat(kAskStream);
    EXPECT_EQ(contents_of(stream->body), "a public word") << "pieces of " << size;
  }
}

TEST(Runner, AReplacementMayBeLongerOrShorterAndIsSeenOnce) {
  // A stage that saw its own replacement again would grow it without end.
  Rewrite rewrite("ab", "xabx");
  World world({&rewrite});
  world.client.scripts.push_back(events({chunk("a"), chunk("b"), chunk("ab"), chunk_end()}));
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(contents_of(stream->body), "xabxxabx");
}

TEST(Runner, WholeAnswersAreRewrittenToo) {
  Rewrite rewrite("secret", "******");
  World world({&rewrite});
  world.client.scripts.push_back(whole("a secret"));
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->body, completion("a ******"));
}

TEST(Runner, EditsAreForkedPerAttempt) {
  Rewrite rewrite("hi", "##");
  World world({&rewrite});
  world.client.scripts.push_back({.refused = true});  // a is internal: sees the words
  world.client.scripts.push_back(whole("ok"));        // b is external: does not
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 200);
  ASSERT_EQ(world.client.sent.size(), 2u);
  EXPECT_NE(world.client.sent[0].find("\"hi\""), std::string::npos);
  EXPECT_EQ(world.client.sent[1].find("\"hi\""), std::string::npos);
  EXPECT_NE(world.client.sent[1].find("\"##\""), std::string::npos);
}

TEST(Runner, FallbackUntilContentHasGoneOut) {
  World world;
  const std::string role =
      R"(data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})"
      "\n\n";
  Script first = events({role});
  first.cut = true;
  world.client.scripts.push_back(first);
  world.client.scripts.push_back(events({chunk("from b"), chunk_end()}));
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(contents_of(stream->body), "from b");
  EXPECT_EQ(stream->body.find("\"x\""), std::string::npos) << "nothing of the first target";
}

TEST(Runner, ACutBehindContentIsAnErrorInTheStreamAndNoDone) {
  World world;
  Script script = events({chunk("half")});
  script.cut = true;
  world.client.scripts.push_back(script);
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(world.client.sent.size(), 1u) << "no second target once content has gone out";
  EXPECT_NE(stream->body.find("\"error\""), std::string::npos);
  EXPECT_EQ(stream->body.find("[DONE]"), std::string::npos);
}

TEST(Runner, RefusalsOfTheRequestAreNotTriedElsewhere) {
  World world;
  world.client.scripts.push_back(
      {.status = 400, .pieces = {R"({"error":{"message":"no","type":"invalid_request_error"}})"}});
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 400);
  EXPECT_EQ(world.client.sent.size(), 1u);
  EXPECT_NE(stream->body.find("\"message\":\"no\""), std::string::npos);
}

TEST(Runner, ACallerThatLeavesCancelsTheCall) {
  Rewrite rewrite("x", "y");
  World world({&rewrite});
  testing::FakeStream stream(http::Method::Post, "/v1/chat/completions", kAskStream);
  Script script = events({chunk("one"), chunk("two"), chunk_end()});
  script.before_piece = [&](std::size_t piece) {
    if (piece == 1) stream.leave();
  };
  world.client.scripts.push_back(script);
  world.serve(stream);
  EXPECT_EQ(contents_of(stream.body), "one");
  EXPECT_FALSE(stream.finished);
  EXPECT_EQ(rewrite.done, 1) << "what ran is always told of the end";
}

TEST(Runner, UnknownPathsAndMethods) {
  World world;
  testing::FakeStream nowhere(http::Method::Post, "/v2/nothing", "{}");
  world.serve(nowhere);
  EXPECT_EQ(nowhere.status, 404);
  testing::FakeStream wrong(http::Method::Get, "/v1/chat/completions", "");
  world.serve(wrong);
  EXPECT_EQ(wrong.status, 405);
  testing::FakeStream later(http::Method::Post, "/v1/files", "{}");
  world.serve(later);
  EXPECT_EQ(later.status, 501);
}

}  // namespace
}  // namespace causeway::exchange
