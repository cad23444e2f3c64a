// What of a provider's answer the application gets, and what is put into it.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/error.h"
#include "dialects/anthropic/dialect.h"

namespace causeway::anthropic {
namespace {

struct Passed {
  std::string wire;
  std::vector<Frame::Kind> kinds;
  std::vector<EventKind> events;
  bool content = false;
  Usage usage;
  Stop stop = Stop::None;
};

/// A stream through reader and writer. `edited`: each text is replaced by this one.
Passed through(std::string stream, std::optional<std::int64_t> cost, std::string edited = "") {
  const AnthropicDialect dialect;
  const Operation chat;
  const auto reader = dialect.reader(chat);
  const auto writer = dialect.writer(chat, {false, !edited.empty()});
  stream.reserve(stream.size() + 64);
  reader->feed(stream);
  Frame frame;
  Passed passed;
  for (;;) {
    const auto more = reader->next(frame);
    EXPECT_TRUE(more) << more.error().detail;
    if (!more || !*more) return passed;
    passed.kinds.push_back(frame.kind);
    passed.content |= frame.has_content;
    for (const Event& part : frame.events) {
      passed.events.push_back(part.kind);
      if (part.kind == EventKind::Text && !edited.empty()) frame.released.push_back(edited);
      if (part.kind == EventKind::Usage) passed.usage = *part.usage;
      if (part.kind == EventKind::Stop) passed.stop = part.stop;
    }
    if (cost) writer->cost(*cost);
    Bytes out;
    writer->frame(frame, out);
    for (const auto span : out.spans()) passed.wire += span;
  }
}

const std::string kStart =
    "event: message_start\ndata: "
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":"
    "\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,"
    "\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":5,\"cache_creation_input_tokens\":"
    "2,\"output_tokens\":1}}}\n\n";
const std::string kBlock =
    "event: content_block_start\ndata: "
    "{\"type\":\"content_block_start\",\"index\":0,\"content_block"
    "\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const std::string kDelta =
    "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
    "\"secret\"},\"type\":\"content_block_delta\"}\n\n";
const std::string kPing = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
const std::string kBlockStop =
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
const std::string kEnd =
    "event: message_delta\ndata: "
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\""
    ",\"stop_sequence\":null},\"usage\":{\"output_tokens\":7}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

TEST(Answer, AStreamPassesAsItCame) {
  const std::string all = kStart + kBlock + kPing + kDelta + kBlockStop + kEnd;
  const Passed passed = through(all, {});
  EXPECT_EQ(passed.wire, all);
  EXPECT_EQ(passed.kinds.back(), Frame::Kind::End);
  EXPECT_EQ(passed.stop, Stop::Done);
  EXPECT_EQ(passed.usage.source, UsageSource::Reported);
  EXPECT_EQ(passed.usage.input_uncached, 10u);
  EXPECT_EQ(passed.usage.cache_read, 5u);
  EXPECT_EQ(passed.usage.cache_write, 2u);
  EXPECT_EQ(passed.usage.output_visible, 7u);
}

TEST(Answer, WhatOnlyBeginsIsNoContent) {
  EXPECT_FALSE(through(kStart + kBlock + kPing, {}).content);
  EXPECT_TRUE(through(kStart + kBlock + kDelta, {}).content);
}

TEST(Answer, TheCostStandsInTheUsageOfTheLastDelta) {
  const Passed passed = through(kStart + kEnd, 1230);
  EXPECT_NE(passed.wire.find("\"usage\":{\"cost\":0.00123,\"output_tokens\":7}"), std::string::npos)
      << passed.wire;
  EXPECT_EQ(passed.wire.find("cost"), passed.wire.rfind("cost"));
}

TEST(Answer, TextsAreEditedWhereTheyStand) {
  const Passed passed = through(kDelta, {}, "###");
  EXPECT_EQ(passed.wire,
            "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\","
            "\"text\":\"###\"},\"type\":\"content_block_delta\"}\n\n");
}

TEST(Answer, ABlockEndsItsTexts) {
  const Passed passed = through(kBlockStop, {});
  EXPECT_EQ(passed.events.size(), 3u);
  EXPECT_EQ(passed.events.front(), EventKind::TextEnd);
}

TEST(Answer, HeldTextGoesOutAsADelta) {
  const AnthropicDialect dialect;
  const auto writer = dialect.writer({}, {false, true});
  Bytes out;
  writer->text({0, 2, Channel::ToolArguments}, "\"x\"", out);
  EXPECT_EQ(std::string(out.spans()[0]),
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,"
            "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"x\\\"\"}}\n\n");
}

Result<Frame> whole(std::string body, OperationKind kind = OperationKind::Chat) {
  static std::string kept;
  kept = body + std::string(64, '\0');
  Operation operation;
  operation.kind = kind;
  Frame frame;
  auto read = AnthropicDialect().reader(operation)->whole(
      std::string_view(kept).substr(0, body.size()), frame);
  if (!read) return std::unexpected(read.error());
  return frame;
}

TEST(Answer, AWholeAnswerIsTheSameEvents) {
  const auto frame =
      whole(R"({"id":"msg_1","type":"message","content":[{"type":"text","text":"Hi"},)"
            R"({"type":"tool_use","id":"t","name":"f","input":{"city":"Bern","n":1}}],)"
            R"("stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":9,)"
            R"("output_tokens_details":{"thinking_tokens":4}}})");
  ASSERT_TRUE(frame) << frame.error().detail;
  EXPECT_EQ(frame->kind, Frame::Kind::End);
  std::vector<std::string> texts;
  for (const auto& event : frame->events) {
    if (event.kind != EventKind::Text) continue;
    EXPECT_TRUE(event.last);
    texts.emplace_back(frame->data.substr(event.value.begin, event.value.end - event.value.begin));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"\"Hi\"", "\"Bern\""}));
  EXPECT_EQ(frame->usage.reasoning, 4u);
  EXPECT_EQ(frame->usage.output_visible, 5u);
}

TEST(Answer, AnAnswerOfAnotherShapeIsNoEmptySuccess) {
  for (const char* body :
       {"{}", R"({"type":"message"})", R"({"content":[]})", "[]", "x", R"({"choices":[]})"}) {
    const auto frame = whole(body);
    ASSERT_FALSE(frame) << body;
    EXPECT_EQ(frame.error().kind, ErrorKind::UpstreamBroken);
  }
  EXPECT_TRUE(whole(R"({"input_tokens":14})", OperationKind::CountTokens));
  const auto error = whole(R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Frame::Kind::Error);
}

TEST(Errors, AreClassifiedByTheirTypeFirst) {
  struct Case {
    int status;
    const char* type;
    ErrorKind kind;
    bool retryable;
  };
  for (const Case& c :
       {Case{429, "rate_limit_error", ErrorKind::RateLimited, true},
        Case{529, "overloaded_error", ErrorKind::Overloaded, true},
        Case{500, "overloaded_error", ErrorKind::Overloaded, true},
        Case{500, "api_error", ErrorKind::UpstreamFailed, true},
        Case{504, "timeout_error", ErrorKind::Timeout, true},
        Case{402, "billing_error", ErrorKind::QuotaExhausted, true},
        Case{401, "authentication_error", ErrorKind::UpstreamFailed, true},
        Case{403, "permission_error", ErrorKind::UpstreamFailed, true},
        Case{404, "not_found_error", ErrorKind::NotFound, false},
        Case{413, "request_too_large", ErrorKind::TooLarge, false},
        Case{400, "invalid_request_error", ErrorKind::InvalidRequest, false},
        Case{529, "", ErrorKind::Overloaded, true}, Case{503, "", ErrorKind::Overloaded, true}}) {
    const std::string body = std::string(R"({"type":"error","error":{"type":")") + c.type +
                             R"(","message":"why"},"request_id":"req_1"})";
    const Error error = AnthropicDialect().classify(c.status, {}, *c.type ? body : "<html>");
    EXPECT_EQ(error.kind, c.kind) << c.status << c.type;
    EXPECT_EQ(error.retryable, c.retryable) << c.status << c.type;
    EXPECT_EQ(error.message == "why", !c.retryable) << c.status << c.type;
  }
  const Error long_prompt = AnthropicDialect().classify(
      400, {},
      R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 > 2"}})");
  EXPECT_EQ(long_prompt.kind, ErrorKind::ContextTooLong);
}

TEST(Errors, HaveAnthropicsForm) {
  Error error;
  error.kind = ErrorKind::RateLimited;
  error.message = "slow";
  EXPECT_EQ(AnthropicDialect().error_body(error, "req_9"),
            R"({"type":"error","error":{"type":"rate_limit_error","message":"slow",)"
            R"("code":"rate_limit_exceeded"},"request_id":"req_9"})");
}

}  // namespace
}  // namespace causeway::anthropic
