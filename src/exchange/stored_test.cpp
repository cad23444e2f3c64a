// Answers that are kept and given again, and what Causeway itself says, as the runner does both.
#include <gtest/gtest.h>

#include "core/stage.h"
#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using testing::chunk;
using testing::chunk_end;
using testing::completion;
using testing::contents_of;
using testing::FakeStream;
using testing::Script;
using testing::World;

constexpr const char* kAsk = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kAskStream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kUsage =
    R"(data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})"
    "\n\n";

Script events(std::vector<std::string> pieces) {
  return {.fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

/// Keeps the last answer and gives it again.
class Keeper : public Stage {
 public:
  std::string_view name() const override { return "keeper"; }
  unsigned hooks() const override { return kWaitsAttempt | kOnAttemptEnd | kOnDone; }
  Task<Verdict> wait_attempt(Exchange& exchange, Attempt& attempt) override {
    exchange.said.push_back({"x-kept", kept ? "yes" : "no"});
    attempt.stored = kept;
    if (!kept) attempt.tap = std::make_unique<AnswerTap>(most);
    co_return go_on();
  }
  void on_attempt_end(Exchange&, Attempt& attempt) noexcept override {
    if (!attempt.tap || attempt.end != AttemptEnd::Answered || attempt.tap->too_large) return;
    auto answer = std::make_shared<StoredAnswer>(std::move(attempt.tap->answer));
    answer->padded.append(StoredAnswer::kPadding, '\0');
    kept = std::move(answer);
  }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override {
    last = outcome;
    cost = exchange.cost_micros;
  }
  std::size_t most = 1 << 20;
  std::shared_ptr<const StoredAnswer> kept;
  Outcome last;
  std::optional<std::int64_t> cost;
};

/// Of what stands behind the keeper nothing runs where an answer is given again.
class Behind final : public Stage {
 public:
  std::string_view name() const override { return "behind"; }
  unsigned hooks() const override { return kOnAttempt | kOnEvent; }
  Verdict on_attempt(Exchange&, Attempt&) override {
    ++attempts;
    return go_on();
  }
  Verdict on_event(Exchange&, Event& event) override {
    if (event.kind != EventKind::Text) return go_on();
    std::string text(event.text->get());
    for (char& letter : text) letter = static_cast<char>(std::toupper(letter));
    event.text->set(std::move(text));
    return go_on();
  }
  int attempts = 0;
};

TEST(Stored, AWholeAnswerIsGivenAgainWithoutACall) {
  Keeper keeper;
  Behind behind;
  World world({&keeper, &behind});
  world.client.scripts.push_back({.pieces = {completion("hello")}});
  const auto first = world.chat(kAsk);
  EXPECT_EQ(first->fields["x-kept"], "no");
  EXPECT_EQ(keeper.last.saved.source, UsageSource::None);
  const auto again = world.chat(kAsk);
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(again->body, first->body) << "also what event hooks make of it";
  EXPECT_NE(again->body.find("HELLO"), std::string::npos);
  EXPECT_EQ(again->fields["x-kept"], "yes");
  EXPECT_EQ(again->fields["content-type"], "application/json");
  EXPECT_EQ(world.client.sent.size(), 1u);
  EXPECT_EQ(behind.attempts, 1);
  EXPECT_EQ(keeper.last.usage.source, UsageSource::None) << "no model was asked";
  EXPECT_NE(keeper.last.saved.source, UsageSource::None);
  EXPECT_GT(keeper.last.saved.output(), 0u);
  EXPECT_EQ(keeper.cost, 0);
}

TEST(Stored, AStreamIsGivenAgainAsAStream) {
  Keeper keeper;
  World world({&keeper});
  world.client.scripts.push_back(events({chunk("hel"), chunk("lo"), kUsage + chunk_end()}));
  const auto first = world.chat(kAskStream);
  ASSERT_TRUE(first->finished);
  ASSERT_TRUE(keeper.kept && keeper.kept->streamed);
  EXPECT_EQ(keeper.kept->body(), chunk("hel") + chunk("lo") + kUsage + chunk_end());
  const auto again = world.chat(kAskStream);
  EXPECT_TRUE(again->finished);
  EXPECT_EQ(again->body, first->body);
  EXPECT_EQ(again->fields["content-type"], first->fields["content-type"]);
  EXPECT_EQ(keeper.last.saved.input(), 3u);
  EXPECT_EQ(keeper.last.saved.output(), 2u);
  EXPECT_EQ(world.client.sent.size(), 1u);
}

TEST(Stored, WhatIsTranslatedIsKeptAsItCame) {
  Keeper keeper;
  World world({&keeper});
  constexpr const char* ask =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
  world.client.scripts.push_back({.pieces = {completion("hello")}});
  const auto first = world.messages(ask);
  ASSERT_TRUE(keeper.kept);
  EXPECT_EQ(keeper.kept->body(), completion("hello"));
  const auto again = world.messages(ask);
  EXPECT_EQ(again->body.find("\"type\":\"message\"") == std::string::npos, false) << again->body;
  EXPECT_NE(again->body.find("hello"), std::string::npos);
  EXPECT_EQ(world.client.sent.size(), 1u);
}

TEST(Stored, AnAnswerThatIsCutOrTooLargeIsNotKept) {
  Keeper keeper;
  World world({&keeper});
  world.client.scripts.push_back(
      {.fields = {{"content-type", "text/event-stream"}}, .pieces = {chunk("hel")}, .cut = true});
  world.client.scripts.push_back({.refused = true});
  (void)world.chat(kAskStream);
  EXPECT_FALSE(keeper.kept);
  keeper.most = 10;
  world.client.scripts.clear();
  world.client.scripts.push_back({.pieces = {completion("hello")}});
  EXPECT_EQ(world.chat(kAsk)->status, 200);
  EXPECT_FALSE(keeper.kept);
}

/// Answers itself.
class Speaker final : public Stage {
 public:
  std::string_view name() const override { return "speaker"; }
  unsigned hooks() const override { return kOnRequest | kOnDone; }
  Verdict on_request(Exchange& exchange) override {
    exchange.said.push_back({"x-causeway-cache", "faq"});
    auto reply = std::make_unique<Reply>();
    reply->text = "We open at \"nine\".";
    return reply;
  }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override {
    last = outcome;
    cost = exchange.cost_micros;
  }
  Outcome last;
  std::optional<std::int64_t> cost;
};

TEST(Say, AsAWholeAnswerInTheCallersDialect) {
  Speaker speaker;
  World world({&speaker});
  const auto chat = world.chat(kAsk);
  EXPECT_EQ(chat->status, 200);
  EXPECT_NE(chat->body.find(R"("content":"We open at \"nine\".")"), std::string::npos);
  EXPECT_NE(chat->body.find(R"("finish_reason":"stop")"), std::string::npos);
  EXPECT_NE(chat->body.find(R"("object":"chat.completion")"), std::string::npos);
  EXPECT_NE(chat->body.find(R"("model":"m")"), std::string::npos);
  EXPECT_EQ(chat->fields["x-causeway-cache"], "faq");
  const auto message =
      world.messages(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_NE(message->body.find(R"("text":"We open at \"nine\".")"), std::string::npos);
  EXPECT_NE(message->body.find(R"("stop_reason":"end_turn")"), std::string::npos);
  EXPECT_EQ(world.client.sent.size(), 0u);
  EXPECT_EQ(speaker.last.stop, Stop::Done);
  EXPECT_EQ(speaker.last.usage.source, UsageSource::None);
  EXPECT_EQ(speaker.cost, 0);
}

TEST(Say, AsAStreamWhereOneWasAskedFor) {
  Speaker speaker;
  World world({&speaker});
  const auto stream = world.chat(kAskStream);
  EXPECT_TRUE(stream->finished);
  EXPECT_TRUE(stream->fields["content-type"].starts_with("text/event-stream"));
  EXPECT_EQ(contents_of(stream->body), "We open at \"nine\".");
  EXPECT_TRUE(stream->body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(stream->body.find("\"usage\":{"), std::string::npos) << "nobody asked for it";
  EXPECT_TRUE(speaker.last.streamed);
  const auto message = world.messages(
      R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_NE(message->body.find("event: message_stop"), std::string::npos);
}

}  // namespace
}  // namespace causeway::exchange
