// Escalation: the first target's answer is given where its model was sure of it, else the next
// target is asked.
#include "exchange/judge.h"

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

/// Says for the choose stage that answers are judged, and remembers how attempts ended.
class Judging final : public Stage {
 public:
  explicit Judging(Escalation escalate) : escalate_(escalate) {}
  std::string_view name() const override { return "judging"; }
  unsigned hooks() const override { return kOnRequest | kOnEvent | kOnUsage | kOnDone; }
  Verdict on_request(Exchange& exchange) override {
    exchange.escalate = &escalate_;
    return go_on();
  }
  Verdict on_event(Exchange&, Event& event) override {
    if (event.kind == EventKind::Text) seen += event.text->get();
    return go_on();
  }
  void on_usage(Exchange&, const Usage& one) noexcept override { told.push_back(one); }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override {
    for (const Attempt& attempt : exchange.attempts) {
      ends.push_back(attempt.end);
      used.push_back(attempt.usage);
    }
    usage = outcome.usage;
    confidence = exchange.confidence;
  }
  std::string seen;
  std::vector<AttemptEnd> ends;
  std::vector<Usage> used, told;
  Usage usage;
  std::optional<double> confidence;

 private:
  Escalation escalate_;
};

std::string logprobs(double logprob) {
  const std::string number = std::to_string(logprob);
  return R"({"content":[{"token":"x","logprob":)" + number +
         R"(,"top_logprobs":[{"logprob":-9}]}]})";
}

std::string with_logprobs(std::string json, double logprob) {
  constexpr std::string_view kNull = R"("logprobs":null)";
  if (const auto at = json.find(kNull); at != json.npos) {
    return json.replace(at, kNull.size(), R"("logprobs":)" + logprobs(logprob));
  }
  const auto at = json.find(R"("finish_reason")");
  return json.insert(at, R"("logprobs":)" + logprobs(logprob) + ",");
}

Script whole(std::string content, double logprob) {
  return {.pieces = {with_logprobs(completion(content), logprob)}};
}

Script events(std::vector<std::string> pieces) {
  return {.fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

Script sure_stream(double logprob) {
  return events(
      {with_logprobs(chunk("one "), logprob), with_logprobs(chunk("two"), logprob), chunk_end()});
}

TEST(Judge, ASureAnswerIsGivenWithoutTheProbabilitiesThatNobodyAskedFor) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {whole("local", -0.1)};
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(contents_of(stream->body), "local");
  EXPECT_NE(stream->body.find(R"("logprobs":null)"), std::string::npos) << stream->body;
  EXPECT_EQ(stream->fields["x-causeway-confidence"], "0.905");
  EXPECT_FALSE(stream->fields.contains("x-causeway-escalated"));
  ASSERT_EQ(world.client.sent.size(), 1u);
  EXPECT_NE(world.client.sent[0].find(R"("logprobs":true)"), std::string::npos);
  EXPECT_NE(world.client.sent[0].find(R"("top_logprobs":1)"), std::string::npos);
  EXPECT_EQ(judging.ends, std::vector{AttemptEnd::Answered});
}

TEST(Judge, AnUnsureAnswerIsThrownAwayAndTheNextTargetAsked) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {whole("local", -2), {.pieces = {completion("cloud")}}};
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->body, completion("cloud")) << "as it came";
  EXPECT_EQ(stream->fields["x-causeway-confidence"], "0.135");
  EXPECT_EQ(stream->fields["x-causeway-escalated"], "a/up");
  EXPECT_EQ(judging.seen, "cloud") << "no stage sees what is thrown away";
  ASSERT_EQ(world.client.sent.size(), 2u);
  EXPECT_EQ(world.client.sent[1].find("logprobs"), std::string::npos) << "only of who is judged";
  EXPECT_EQ(judging.ends, (std::vector{AttemptEnd::Unsure, AttemptEnd::Answered}));
  EXPECT_EQ(judging.used[0].source, UsageSource::Reported);
  EXPECT_EQ(judging.used[0].output(), 2u);
  EXPECT_EQ(judging.told.size(), 1u) << "the answer's usage alone";
}

TEST(Judge, WhoAsksForProbabilitiesHasThem) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {whole("local", -0.1)};
  auto stream =
      world.chat(R"({"model":"m","logprobs":true,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(stream->body, with_logprobs(completion("local"), -0.1));
}

TEST(Judge, AStreamIsHeldBackUntilItIsJudged) {
  Judging judging({.below = 0.5});
  World world({&judging});
  FakeStream* watched = nullptr;
  std::size_t early = 0;
  Script script = sure_stream(-0.1);
  script.before_piece = [&](std::size_t piece) { early += piece < 3 ? watched->body.size() : 0; };
  world.client.scripts = {script};
  FakeStream stream(http::Method::Post, "/v1/chat/completions", kAskStream);
  watched = &stream;
  world.serve(stream);
  EXPECT_EQ(early, 0u);
  EXPECT_EQ(contents_of(stream.body), "one two");
  EXPECT_EQ(stream.body.find("\"logprob\""), std::string::npos) << stream.body;
  EXPECT_TRUE(stream.finished);
}

TEST(Judge, OfAStreamThatIsUnsureNothingGoesOut) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {sure_stream(-2), events({chunk("cloud"), chunk_end()})};
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(contents_of(stream->body), "cloud");
  EXPECT_EQ(stream->fields["x-causeway-escalated"], "a/up");
  EXPECT_EQ(judging.ends, (std::vector{AttemptEnd::Unsure, AttemptEnd::Answered}));
  EXPECT_EQ(judging.used[0].source, UsageSource::Estimated) << "the stream told nothing";
  EXPECT_EQ(judging.used[0].output(), 2u) << "tokens were counted";
}

TEST(Judge, TheFirstTokensMayDecide) {
  Judging judging({.below = 0.5, .tokens = 1});
  World world({&judging});
  Script script =
      events({with_logprobs(chunk("one "), -0.1), with_logprobs(chunk("two"), -9), chunk_end()});
  FakeStream* watched = nullptr;
  std::string before_last;
  script.before_piece = [&](std::size_t piece) {
    if (piece == 2) before_last = watched->body;
  };
  world.client.scripts = {script};
  FakeStream stream(http::Method::Post, "/v1/chat/completions", kAskStream);
  watched = &stream;
  world.serve(stream);
  EXPECT_EQ(contents_of(before_last), "one two") << "it goes on as it comes";
  EXPECT_EQ(contents_of(stream.body), "one two");
  EXPECT_NEAR(judging.confidence.value_or(0), 0.905, 0.001);
}

TEST(Judge, WhereNobodyElseAnswersTheFirstOneIsAskedOnceMoreAndNotJudged) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {whole("local", -2), {.refused = true}, whole("local again", -2)};
  auto stream = world.chat(kAsk);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(contents_of(stream->body), "local again");
  EXPECT_EQ(judging.ends,
            (std::vector{AttemptEnd::Unsure, AttemptEnd::Failed, AttemptEnd::Answered}));
}

TEST(Judge, AnAnswerWithoutProbabilitiesAndARequestWithToolsAreNotJudged) {
  Judging judging({.below = 0.99});
  World world({&judging});
  world.client.scripts = {{.pieces = {completion("plain")}}, {.pieces = {completion("tools")}}};
  EXPECT_EQ(contents_of(world.chat(kAsk)->body), "plain");
  EXPECT_FALSE(judging.confidence);
  auto stream = world.chat(
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]})");
  EXPECT_EQ(contents_of(stream->body), "tools");
  EXPECT_EQ(world.client.sent[1].find("logprobs"), std::string::npos);
}

TEST(Judge, AStreamThatBreaksWhileItIsHeldGoesToTheNextTarget) {
  Judging judging({.below = 0.5});
  World world({&judging});
  Script broken = events({with_logprobs(chunk("one "), -0.1)});
  broken.cut = true;
  world.client.scripts = {broken, events({chunk("cloud"), chunk_end()})};
  auto stream = world.chat(kAskStream);
  EXPECT_EQ(contents_of(stream->body), "cloud");
  EXPECT_EQ(judging.ends, (std::vector{AttemptEnd::Failed, AttemptEnd::Answered}));
  EXPECT_EQ(judging.used[0].output(), 1u);
}

TEST(Judge, ApplicationsOfAnotherDialectAreServedAlike) {
  Judging judging({.below = 0.5});
  World world({&judging});
  world.client.scripts = {whole("local", -2), {.pieces = {completion("cloud")}}};
  auto stream =
      world.messages(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(stream->status, 200);
  EXPECT_NE(stream->body.find("cloud"), std::string::npos) << stream->body;
  EXPECT_NE(world.client.sent[0].find(R"("logprobs":true,"top_logprobs":1)"), std::string::npos);
  EXPECT_EQ(world.client.sent[1].find("logprobs"), std::string::npos);
}

TEST(Attempts, OneThatBrokeOffTellsWhatItHadMade) {
  Judging judging({});
  World world({&judging});
  world.client.scripts = {
      {.pieces = {R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})"}},
      {.pieces = {completion("second")}}};
  world.chat(kAsk);
  ASSERT_EQ(judging.ends, (std::vector{AttemptEnd::Failed, AttemptEnd::Answered}));
  EXPECT_EQ(judging.used[0].input(), 7u);
  EXPECT_EQ(judging.used[0].output(), 3u);
  EXPECT_EQ(judging.usage.input(), 3u) << "of the answer alone";
}

}  // namespace
}  // namespace causeway::exchange
