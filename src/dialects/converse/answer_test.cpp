// Answers of Converse, streamed and not.
#include <gtest/gtest.h>

#include "core/testing/random_chat.h"
#include "dialects/converse/dialect.h"
#include "dialects/converse/testing/answer.h"
#include "dialects/converse/testing/wire.h"

namespace causeway::converse {
namespace {

using causeway::testing::feed_in_pieces, causeway::testing::random_answer,
    causeway::testing::ReadAnswer, causeway::testing::ReadingSink;

class AnswerTest : public ::testing::Test {
 protected:
  Result<void> whole(const std::string& body) {
    sink_ = {};
    const std::string padded = body + std::string(64, '\0');
    return dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink_);
  }
  Result<void> stream(const std::string& wire) {
    sink_ = {};
    return feed_in_pieces(*dialect_.decoder(true), wire, sink_, random_);
  }

  ConverseDialect dialect_;
  ReadingSink sink_;
  std::mt19937_64 random_{5};
};

TEST_F(AnswerTest, RandomAnswersSurviveBeingCutAnywhere) {
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 5;
  usage.output_visible = 7;
  for (int i = 0; i < 5000; ++i) {
    ReadingSink expected;
    for (const auto& event : random_answer(random_, usage)) expected.event(event.view());
    ASSERT_TRUE(whole(whole_body(expected.answer)));
    ASSERT_EQ(sink_.answer, expected.answer);
    const auto fed = stream(StreamWriter().run(expected.answer));
    ASSERT_TRUE(fed) << fed.error().detail;
    ASSERT_EQ(sink_.answer, expected.answer);
  }
}

TEST_F(AnswerTest, AllStopReasons) {
  const std::pair<std::string, Stop> reasons[] = {{"end_turn", Stop::Done},
                                                  {"stop_sequence", Stop::Done},
                                                  {"tool_use", Stop::Tools},
                                                  {"max_tokens", Stop::Length},
                                                  {"model_context_window_exceeded", Stop::Length},
                                                  {"guardrail_intervened", Stop::Filtered},
                                                  {"content_filtered", Stop::Filtered},
                                                  {"malformed_model_output", Stop::Broken},
                                                  {"malformed_tool_use", Stop::Broken},
                                                  {"something_new", Stop::Unknown}};
  for (const auto& [word, stop] : reasons) {
    ASSERT_TRUE(whole(R"({"output":{"message":{"role":"assistant","content":[]}},"stopReason":")" +
                      word + "\"}"));
    EXPECT_EQ(sink_.answer.stop, stop) << word;
  }
}

TEST_F(AnswerTest, WhatIsNoAnswerIsNoEmptySuccess) {
  for (const std::string body :
       {"", "{}", "[]", "x", R"({"output":{}})", R"({"stopReason":"end_turn"})",
        R"({"output":{"message":{"role":"assistant","content":[{"text":"x"}]}}})"}) {
    const auto read = whole(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::UpstreamBroken) << body;
    EXPECT_FALSE(sink_.answer.ended);
  }
}

TEST_F(AnswerTest, AStreamThatIsCutIsNoAnswer) {
  ReadAnswer answer;
  answer.text = "Hello";
  answer.stop = Stop::Done;
  const std::string wire = StreamWriter().run(answer);
  const std::size_t metadata =
      wire_event("metadata", R"({"usage":)" + usage_of(answer) + R"(,"metrics":{"latencyMs":1}})")
          .size();
  for (std::size_t size = 0; size < wire.size(); ++size) {
    const auto fed = stream(wire.substr(0, size));
    if (size == wire.size() - metadata) {
      EXPECT_TRUE(fed) << "only the usage is missing";
    } else {
      ASSERT_FALSE(fed) << size;
      EXPECT_EQ(fed.error().code, "upstream_cut");
    }
  }
}

TEST_F(AnswerTest, ExceptionsInTheStream) {
  struct Row {
    const char* type;
    ErrorKind kind;
    bool retryable;
  };
  for (const Row& row : {Row{"throttlingException", ErrorKind::RateLimited, true},
                         Row{"validationException", ErrorKind::InvalidRequest, false},
                         Row{"modelStreamErrorException", ErrorKind::UpstreamFailed, true},
                         Row{"internalServerException", ErrorKind::UpstreamFailed, true},
                         Row{"serviceUnavailableException", ErrorKind::Overloaded, true},
                         Row{"somethingNewException", ErrorKind::UpstreamFailed, true}}) {
    const auto fed = stream(wire_event("messageStart", R"({"role":"assistant"})") +
                            wire_exception(row.type, R"({"message":"It went wrong."})"));
    ASSERT_FALSE(fed) << row.type;
    EXPECT_EQ(fed.error().kind, row.kind) << row.type;
    EXPECT_EQ(fed.error().retryable, row.retryable) << row.type;
    EXPECT_NE(fed.error().detail.find("It went wrong."), std::string::npos);
  }
  const auto fed = stream(wire_message(text_headers({{":message-type", "error"},
                                                     {":error-code", "InternalFailure"},
                                                     {":error-message", "oh"}}),
                                       ""));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().kind, ErrorKind::UpstreamFailed);
}

/// Keeps what ReadingSink does not.
class SealSink final : public ChatSink {
 public:
  void event(const ChatEvent& event) override {
    if (event.kind == ChatEvent::Kind::Seal) {
      seals += std::string(event.dialect) + ":" + std::string(event.text) + ";";
    }
    if (event.kind == ChatEvent::Kind::Citation) citations += event.text;
    if (event.kind == ChatEvent::Kind::Text && event.lane.channel == Channel::Content) {
      text += event.text;
    }
  }
  std::string seals, citations, text;
};

TEST_F(AnswerTest, SealsAndCitations) {
  const std::string body =
      R"({"output":{"message":{"role":"assistant","content":[
        {"reasoningContent":{"reasoningText":{"text":"t","signature":"c2ln"}}},
        {"reasoningContent":{"redactedContent":"cmVk"}},
        {"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"T"}]}}]}},
        "stopReason":"end_turn"})";
  const std::string padded = body + std::string(64, '\0');
  SealSink sink;
  ASSERT_TRUE(
      dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink));
  EXPECT_EQ(sink.seals, "anthropic:c2ln;converse:cmVk;");
  EXPECT_EQ(sink.citations, R"({"title":"T"})");
  EXPECT_EQ(sink.text, "cited");
}

}  // namespace
}  // namespace causeway::converse
