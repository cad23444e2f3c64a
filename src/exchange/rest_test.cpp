// An answer that is cut goes on elsewhere, and the caller sees one stream.
#include "exchange/rest.h"

#include <gtest/gtest.h>

#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using testing::chunk;
using testing::chunk_end;
using testing::contents_of;
using testing::Script;
using testing::World;

using May = Overlap::May;

// Piece by piece, wherever the text is cut.
std::string through(const std::string& said, const std::string& rest, May may, std::size_t piece) {
  Overlap overlap(said, may);
  std::string out;
  for (std::size_t at = 0; at < rest.size(); at += piece)
    out += overlap.take(rest.substr(at, piece));
  return out + overlap.end();
}

TEST(Overlap, WhatWasSaidIsNotSaidAgain) {
  struct Case {
    const char *said, *rest, *out;
  };
  const std::string said = "The quick brown fox jum";
  for (const Case& one : {
           Case{"The quick brown fox jum", "ps over", "ps over"},
           Case{"The quick brown fox jum", "brown fox jumps over", "ps over"},
           Case{"The quick brown fox jum", "The quick brown fox jumps over", "ps over"},
           Case{"The quick brown fox ", "jumps", "jumps"},
           Case{"The quick brown fox ", " jumps", "jumps"},
           Case{"The quick brown fox ", "fox jumps", "jumps"},
           Case{"The total is 1", "1 and", "1 and"},
           Case{"ha ha ha", " ha!", " ha!"},
           Case{"Hello", "Hello, world", ", world"},
           Case{"Grüße aus Köl", "Köln", "n"},
           Case{"第一章は終わり", "終わりました", "ました"},
           Case{"one two three", "one two four", "one two four"},
           Case{"one two three", "one two three", ""},
           Case{"", "all of it", "all of it"},
       }) {
    for (const std::size_t piece : {1, 2, 3, 5, 100}) {
      EXPECT_EQ(through(one.said, one.rest, May::RepeatWords, piece), one.out)
          << one.said << " + " << one.rest << " by " << piece;
    }
  }
}

TEST(Overlap, WhoGoesOnByItselfMayRepeatItsWords) {
  EXPECT_EQ(through("no, no, no", ", no, no!", May::RepeatAll, 2), ", no, no!");
  EXPECT_EQ(through("a b c ", " d", May::RepeatAll, 1), "d");
  EXPECT_EQ(through("a b\n", "\n\nc", May::RepeatAll, 1), "\nc");
  EXPECT_EQ(through("a b c", "a b c d", May::RepeatAll, 1), " d");
}

constexpr const char* kAsk =
    R"({"model":"m","stream":true,"max_tokens":100,"stream_options":{"include_usage":true},)"
    R"("messages":[{"role":"user","content":"hi"}]})";

Script stream(std::vector<std::string> pieces, bool cut = false) {
  return {
      .fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces), .cut = cut};
}

std::string usage(int input, int output) {
  return R"(data: {"id":"c2","object":"chat.completion.chunk","created":2,"model":"other","choices":[],"usage":{"prompt_tokens":)" +
         std::to_string(input) + R"(,"completion_tokens":)" + std::to_string(output) + "}}\n\n";
}

// Of another answer than chunk()'s.
std::string other(std::string text) {
  text.replace(text.find("\"c1\""), 4, "\"c2\"");
  return text;
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

RetrySettings continuing() {
  RetrySettings settings;
  settings.goes_on = true;
  return settings;
}

struct RestTest : ::testing::Test {
  World world{{}, continuing()};
  void answers(std::vector<Script> scripts) {
    for (auto& script : scripts) world.client.scripts.push_back(std::move(script));
  }
};

TEST_F(RestTest, TheNextTargetSaysTheRestInTheSameStream) {
  const std::string end = chunk_end();
  const auto done = end.find("data: [DONE]");
  answers({stream({chunk("one two "), chunk("thr")}, true),
           stream({other(chunk("two three")), other(chunk(" four")),
                   other(end.substr(0, done)) + usage(20, 7) + end.substr(done)})});
  const auto answer = world.chat(kAsk);
  EXPECT_EQ(contents_of(answer->body), "one two three four");
  EXPECT_TRUE(answer->body.starts_with(chunk("one two ") + chunk("thr")));
  EXPECT_TRUE(answer->finished);
  EXPECT_EQ(count(answer->body, "\"c2\""), 0u) << "one answer has one id";
  EXPECT_EQ(count(answer->body, "[DONE]"), 1u);
  EXPECT_EQ(count(answer->body, "\"finish_reason\":\"stop\""), 1u);
  EXPECT_EQ(count(answer->body, "\"role\""), 0u) << "none has begun twice";
  // Both prompts, and what both have said.
  EXPECT_EQ(count(answer->body, "\"prompt_tokens\":20,"), 0u) << answer->body;
  EXPECT_EQ(count(answer->body, "\"usage\":{"), 1u);
  ASSERT_EQ(world.client.sent.size(), 2u);
  EXPECT_NE(world.client.sent[1].find(R"({"role":"assistant","content":"one two thr"},)"
                                      R"({"role":"user","content":"Your answer above was cut off)"),
            std::string::npos)
      << world.client.sent[1];
  EXPECT_EQ(world.client.sent[1].find("\"max_tokens\":100"), std::string::npos);
}

TEST_F(RestTest, TheLimitIsLoweredUnderEachName) {
  answers({stream({chunk("one two three four five six")}, true),
           stream({chunk(" seven"), chunk_end()})});
  std::string ask = kAsk;
  ask.insert(1, R"("max_completion_tokens": 90 ,)");
  world.chat(ask);
  ASSERT_EQ(world.client.sent.size(), 2u);
  for (const char* whole : {R"("max_completion_tokens": 90)", R"("max_tokens":100)"}) {
    EXPECT_NE(world.client.sent[0].find(whole), std::string::npos) << world.client.sent[0];
    EXPECT_EQ(world.client.sent[1].find(whole), std::string::npos) << world.client.sent[1];
  }
}

TEST_F(RestTest, CutAgainItGoesOnAgain) {
  RetrySettings settings = continuing();
  settings.unsure = true;  // the same targets
  World again({}, settings);
  for (auto& script : {stream({chunk("a b")}, true), stream({chunk(" c d")}, true),
                       stream({chunk(" e f"), chunk_end()})}) {
    again.client.scripts.push_back(script);
  }
  const auto answer = again.chat(kAsk);
  EXPECT_EQ(contents_of(answer->body), "a b c d e f");
  EXPECT_TRUE(answer->finished);
  EXPECT_NE(again.client.sent[2].find("\"a b c d\""), std::string::npos);
}

TEST_F(RestTest, WithoutOneThatSaysTheRestTheErrorIsInTheStream) {
  answers({stream({chunk("a b")}, true), {.refused = true}});
  const auto answer = world.chat(kAsk);
  EXPECT_TRUE(answer->body.starts_with(chunk("a b")));
  EXPECT_EQ(count(answer->body, "\"error\""), 1u);
  EXPECT_EQ(count(answer->body, "[DONE]"), 0u);
}

TEST_F(RestTest, WhatCannotBePutTogetherEndsWithTheError) {
  const std::string call =
      R"(data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":"{"}}]}}]})"
      "\n\n";
  const std::string end = chunk_end();
  for (const auto& pieces : {std::vector{chunk("let me see"), call},
                             std::vector{chunk("all"), end.substr(0, end.find("data: [DONE]"))}}) {
    World one({}, continuing());
    one.client.scripts.push_back(stream(pieces, true));
    const auto answer = one.chat(kAsk);
    EXPECT_EQ(one.client.sent.size(), 1u);
    EXPECT_EQ(count(answer->body, "\"error\""), 1u) << answer->body;
  }
  const std::string ask = kAsk;
  for (const char* wish :
       {R"("response_format":{"type":"json_object"},)", R"("n":2,)", R"("logprobs":true,)"}) {
    World one({}, continuing());
    one.client.scripts.push_back(stream({chunk("{")}, true));
    one.chat("{" + std::string(wish) + ask.substr(1));
    EXPECT_EQ(one.client.sent.size(), 1u) << wish;
  }
  World off;
  off.client.scripts.push_back(stream({chunk("a b")}, true));
  off.chat(kAsk);
  EXPECT_EQ(off.client.sent.size(), 1u) << "the policy does not ask for it";
}

TEST_F(RestTest, ToolsMayBeCalledInTheRest) {
  const std::string call =
      R"(data: {"id":"c2","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]}}]})"
      "\n\n";
  answers({stream({chunk("let me ")}, true),
           stream({other(chunk("see")), call, chunk_end("tool_calls")})});
  const auto answer = world.chat(kAsk);
  EXPECT_EQ(contents_of(answer->body), "let me see");
  EXPECT_EQ(count(answer->body, "\"name\":\"f\""), 1u);
  EXPECT_EQ(count(answer->body, "\"finish_reason\":\"tool_calls\""), 1u);
}

TEST_F(RestTest, ACallerOfAnotherDialectHasOneMessageWithOneBlock) {
  answers({stream({chunk("one "), chunk("two")}, true), stream({chunk(" three"), chunk_end()})});
  const auto answer = world.messages(
      R"({"model":"m","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"hi"}]})");
  for (const char* once : {"event: message_start", "event: content_block_start",
                           "event: content_block_stop", "event: message_stop"}) {
    EXPECT_EQ(count(answer->body, once), 1u) << once << '\n' << answer->body;
  }
  EXPECT_NE(answer->body.find(R"("index":0,"delta":{"type":"text_delta","text":" three"})"),
            std::string::npos)
      << answer->body;
}

}  // namespace
}  // namespace causeway::exchange
