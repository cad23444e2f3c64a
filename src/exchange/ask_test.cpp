// ask(): the same pipeline without a socket.
#include <gtest/gtest.h>

#include "core/stage.h"
#include "exchange/testing/fakes.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

using testing::chunk;
using testing::chunk_end;
using testing::completion;
using testing::contents_of;
using testing::Script;
using testing::World;

constexpr const char* kAsk = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kAskStream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";

Script events(std::vector<std::string> pieces) {
  return {.fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

Question question(std::string body) {
  Question asked;
  asked.body = std::move(body);
  return asked;
}

/// Stands for allow, ledger and trace.
class Witness final : public Stage {
 public:
  std::string_view name() const override { return "witness"; }
  unsigned hooks() const override { return kOnRequest | kOnUsage | kOnDone; }
  Verdict on_request(Exchange& exchange) override {
    if (exchange.principal->may_use(exchange.model_name)) return go_on();
    return fail(ErrorKind::Forbidden, Origin::Client, "not for you", "model_not_allowed");
  }
  void on_usage(Exchange&, const Usage& usage) noexcept override { tokens += usage.input(); }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override {
    ++done;
    status = outcome.status;
    key = exchange.principal->key_id;
    id = exchange.id;
    trace.assign(exchange.trace_id.data(), exchange.trace_id.size());
  }
  int done = 0, status = 0;
  std::uint64_t tokens = 0;
  std::string key, id, trace;
};

TEST(Ask, AWholeAnswerComesBackAndIsAccountedFor) {
  Witness witness;
  World world({&witness});
  world.client.scripts.push_back({.pieces = {completion("hello")}});
  Principal batch;
  batch.key_id = "batch";
  batch.models = {"*"};
  Question asked = question(kAsk);
  asked.principal = &batch;
  asked.request_id = "line-7";
  const auto answer = run_ready(world.ask(std::move(asked)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, completion("hello"));
  const auto named = [&](std::string_view name) {
    for (const auto& [have, value] : answer->fields) {
      if (have == name) return value;
    }
    return std::string();
  };
  EXPECT_EQ(named("x-request-id"), "line-7");
  EXPECT_EQ(named("x-causeway-model"), "up");
  EXPECT_EQ(witness.key, "batch") << "on whose behalf";
  EXPECT_EQ(witness.id, "line-7");
  EXPECT_EQ(witness.tokens, 3u);
  EXPECT_EQ(witness.done, 1);
}

TEST(Ask, AStreamIsCollectedWithoutASink) {
  World world;
  world.client.scripts.push_back(events({chunk("hel"), chunk("lo"), chunk_end()}));
  const auto answer = run_ready(world.ask(question(kAskStream)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, chunk("hel") + chunk("lo") + chunk_end());
}

Task<Result<void>> put(std::vector<std::string>* pieces, std::string piece) {
  pieces->push_back(std::move(piece));
  co_return Result<void>{};
}

/// Puts the real word back, as a policy on personal data does.
class Restores final : public Stage {
 public:
  std::string_view name() const override { return "restores"; }
  unsigned hooks() const override { return kOnEvent; }
  Verdict on_event(Exchange&, Event& event) override {
    if (event.kind == EventKind::Text && event.text->get() == "[NAME]") event.text->set("Jan");
    return go_on();
  }
};

TEST(Ask, WhatTheProviderWroteIsToldAsItCame) {
  Restores restores;
  World world({&restores});
  world.client.scripts.push_back({.pieces = {completion("[NAME]")}});
  world.client.scripts.push_back(events({chunk("[NAME]"), chunk(" \"hi\""), chunk_end()}));
  for (const auto* body : {kAsk, kAskStream}) {
    Sent sent;
    Question asked = question(body);
    asked.sent = &sent;
    const auto answer = run_ready(world.ask(std::move(asked)));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_NE(answer->body.find("Jan"), std::string::npos) << answer->body;
    EXPECT_EQ(sent.answer, body == kAsk ? "[NAME]" : "[NAME] \"hi\"");
  }
}

TEST(Ask, ASinkGetsTheStreamPieceByPiece) {
  World world;
  world.client.scripts.push_back(events({chunk("hel"), chunk("lo"), chunk_end()}));
  std::vector<std::string> pieces;
  Question asked = question(kAskStream);
  asked.sink = [&](std::string_view piece) { return put(&pieces, std::string(piece)); };
  const auto answer = run_ready(world.ask(std::move(asked)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->body.empty());
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(contents_of(pieces[0] + pieces[1]), "hello");
}

TEST(Ask, WhatIsNotAnAnswerIsAnError) {
  Witness witness;
  World world({&witness});
  world.client.scripts.push_back({.status = 429,
                                  .fields = {{"retry-after", "70"}},
                                  .pieces = {R"({"error":{"message":"slow down"}})"}});
  for (int tries = 0; tries < 3; ++tries) world.client.scripts.push_back({.refused = true});
  const auto refused = run_ready(world.ask(question(kAsk)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::ConnectFailed) << "of the last target";
  EXPECT_TRUE(refused.error().retryable);
  const auto invalid = run_ready(world.ask(question("{")));
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().code, "invalid_json");
  Script cut = events({chunk("half")});
  cut.cut = true;
  world.client.scripts.push_back(cut);
  const auto half = run_ready(world.ask(question(kAskStream)));
  ASSERT_FALSE(half) << "half an answer is none";
  EXPECT_EQ(half.error().kind, ErrorKind::UpstreamBroken);
  EXPECT_EQ(witness.done, 2) << "of the invalid one it saw nothing";
}

TEST(Ask, TheRulesOfThePrincipalApply) {
  Witness witness;
  World world({&witness});
  Principal poor;
  poor.models = {"other"};
  Question asked = question(kAsk);
  asked.principal = &poor;
  const auto answer = run_ready(world.ask(std::move(asked)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "model_not_allowed");
  EXPECT_EQ(witness.status, 403);
  EXPECT_TRUE(world.client.sent.empty());
}

/// A stage that asks in the course of each exchange, its own questions included.
class Asks final : public Stage {
 public:
  explicit Asks(World** world) : world_(world) {}
  std::string_view name() const override { return "asks"; }
  unsigned hooks() const override { return kOnRequest | kWaits; }
  Task<Verdict> wait_request(Exchange& exchange) override {
    ++asked;
    deepest = std::max<int>(deepest, exchange.depth);
    Question next = question(kAsk);
    next.principal = exchange.principal;
    next.inside = &exchange;
    next.cancel = &exchange.cancel;
    const auto answer = co_await (*world_)->context().asker->ask(std::move(next));
    if (!answer && code.empty()) code = answer.error().code;
    co_return go_on();
  }
  int asked = 0, deepest = 0;
  std::string code;

 private:
  World** world_;
};

TEST(Ask, QuestionsInsideQuestionsAreBounded) {
  World* where = nullptr;
  Asks asks(&where);
  Witness witness;
  World world({&asks, &witness});
  where = &world;
  for (int i = 0; i < 10; ++i) world.client.scripts.push_back({.pieces = {completion("ok")}});
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(asks.code, "ask_too_deep");
  EXPECT_EQ(asks.asked, kMostDepth + 1) << "the client's exchange and those inside it";
  EXPECT_EQ(asks.deepest, kMostDepth);
  EXPECT_EQ(witness.done, kMostDepth + 1);
  EXPECT_EQ(world.client.sent.size(), kMostDepth + 1u);
}

TEST(Ask, AQuestionInsideAnExchangeBelongsToItsTrace) {
  class AsksOnce final : public Stage {
   public:
    std::string_view name() const override { return "asks"; }
    unsigned hooks() const override { return kOnRequest | kWaits; }
    Task<Verdict> wait_request(Exchange& exchange) override {
      trace.assign(exchange.trace_id.data(), exchange.trace_id.size());
      if (exchange.depth > 0) {
        inner = trace;
        co_return go_on();
      }
      Question next = question(kAsk);
      next.principal = exchange.principal;
      next.inside = &exchange;
      (void)co_await exchange.context->asker->ask(std::move(next));
      outer.assign(exchange.trace_id.data(), exchange.trace_id.size());
      co_return go_on();
    }
    std::string trace, outer, inner;
  } asks;
  World world({&asks});
  for (int i = 0; i < 2; ++i) world.client.scripts.push_back({.pieces = {completion("ok")}});
  world.chat(kAsk);
  EXPECT_EQ(asks.outer, asks.inner);
  EXPECT_EQ(asks.outer.size(), 32u);
}

TEST(Ask, AnAskerThatGoesAwayCancelsTheCall) {
  Witness witness;
  World world({&witness});
  Cancel cancel;
  Script script = events({chunk("one"), chunk("two"), chunk_end()});
  script.before_piece = [&](std::size_t piece) {
    if (piece == 1) cancel.request();
  };
  world.client.scripts.push_back(script);
  Question asked = question(kAskStream);
  asked.cancel = &cancel;
  const auto answer = run_ready(world.ask(std::move(asked)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Cancelled);
  EXPECT_EQ(witness.status, 499);
  EXPECT_EQ(witness.done, 1);

  Question late = question(kAsk);
  late.cancel = &cancel;
  EXPECT_FALSE(run_ready(world.ask(std::move(late)))) << "what is cancelled before does not begin";
  EXPECT_EQ(world.client.sent.size(), 1u);
}

/// Waits until its exchange is cancelled, as a stage that asks a slow service does.
class Waits final : public Stage {
 public:
  std::string_view name() const override { return "waits"; }
  unsigned hooks() const override { return kOnRequest | kWaits | kOnDone; }
  Task<Verdict> wait_request(Exchange& exchange) override {
    if (exchange.cancel.requested()) co_return go_on();  // before it began
    Signal ended;
    exchange.cancel.on_request([&ended] { ended.set(); });
    co_await ended;
    co_return go_on();
  }
  void on_done(Exchange&, const Outcome&) noexcept override { ++done; }
  int done = 0;
};

Task<void> ask_into(World* world, Question asked, std::optional<Result<Answer>>* out) {
  out->emplace(co_await world->ask(std::move(asked)));
}

class AskTimeout : public ::testing::TestWithParam<int> {};

TEST_P(AskTimeout, EndsTheCallWhereverItIs) {
  Waits waits;
  net::Loop loop(0, std::chrono::milliseconds(10));
  World world({&waits});
  world.context().loop = &loop;
  Question asked = question(kAsk);
  asked.timeout = std::chrono::milliseconds(GetParam());
  std::optional<Result<Answer>> answer;
  spawn(ask_into(&world, std::move(asked), &answer));
  ASSERT_FALSE(answer);
  loop.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().code, "ask_timeout");
  EXPECT_EQ(waits.done, 1);
}

// In the loop's first look, before any stage has run; and while one waits.
INSTANTIATE_TEST_SUITE_P(Milliseconds, AskTimeout, ::testing::Values(1, 30));

TEST(Ask, TheEndOfALoopEndsWhatIsAsked) {
  Waits waits;
  World world({&waits});
  std::optional<Result<Answer>> first, second, late;
  spawn(ask_into(&world, question(kAsk), &first));
  spawn(ask_into(&world, question(kAsk), &second));
  world.close_asker();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->error().kind, ErrorKind::Cancelled);
  spawn(ask_into(&world, question(kAsk), &late));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace causeway::exchange
