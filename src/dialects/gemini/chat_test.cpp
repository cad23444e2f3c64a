// Gemini's side of the translation, by itself and there and back through OpenAI's limits.
#include <gtest/gtest.h>

#include "core/testing/random_chat.h"
#include "dialects/gemini/dialect.h"

namespace causeway::gemini {
namespace {

using causeway::testing::feed_in_pieces, causeway::testing::random_answer,
    causeway::testing::random_chat, causeway::testing::ReadAnswer, causeway::testing::ReadingSink;

constexpr int kCases = 10'000;

class ChatTest : public ::testing::Test {
 protected:
  Result<void> read(const std::string& body) {
    padded_ = body + std::string(64, '\0');
    index_.clear();
    return dialect_.read(operation_, "m", std::string_view(padded_).substr(0, body.size()), index_);
  }
  Result<Chat> decode(const std::string& body) {
    if (auto done = read(body); !done) return std::unexpected(done.error());
    return dialect_.decode(operation_, Request(index_));
  }
  std::string encode(const Chat& chat) {
    left_out_ = {};
    auto body = dialect_.encode(chat, chat.model, left_out_);
    EXPECT_TRUE(body) << body.error().message;
    return body ? *body : "";
  }
  Result<ReadAnswer> whole(const std::string& body) {
    ReadingSink sink;
    const std::string padded = body + std::string(64, '\0');
    auto done =
        dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink);
    if (!done) return std::unexpected(done.error());
    return sink.answer;
  }

  GeminiDialect dialect_;
  Operation operation_{.path = "/v1beta/models/*:generateContent"};
  RequestIndex index_;
  std::string padded_;
  LeftOut left_out_;
};

// All that a chat says, message by message; system prompts first, as they stand apart here.
std::vector<std::string> said(const Chat& chat) {
  std::vector<std::string> all;
  for (const auto& message : chat.messages) {
    for (const auto& part : message.parts) {
      const std::string role = std::to_string(static_cast<int>(message.role));
      if (part.kind == ChatPart::Kind::ToolCall) {
        all.push_back(role + " call " + part.id + " " + part.name + " " + part.arguments);
      } else if (part.kind == ChatPart::Kind::ToolResult) {
        all.push_back(role + " result " + part.id + " " + part.name + " " + part.content[0].text);
      } else {
        all.push_back(role + " " + part.text);
      }
    }
  }
  return all;
}

TEST_F(ChatTest, WhatIsWrittenIsReadAgainTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kCases; ++i) {
    const Chat chat = random_chat(random);
    const std::string body = encode(chat);
    ASSERT_TRUE(left_out_.fields.empty() && left_out_.hints.empty());
    const auto again = decode(body);
    ASSERT_TRUE(again) << again.error().message << body;
    ASSERT_EQ(said(*again), said(chat)) << body;
    ASSERT_EQ(encode(*again), body);
    ASSERT_EQ(again->tools.size(), chat.tools.size());
    ASSERT_EQ(again->max_tokens, chat.max_tokens);
    ASSERT_EQ(again->stop, chat.stop);
  }
}

TEST_F(ChatTest, AnswersSurviveBeingCutAnywhere) {
  std::mt19937_64 random(2);
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 5;
  usage.output_visible = 7;
  usage.reasoning = 3;
  for (int i = 0; i < kCases; ++i) {
    const auto events = random_answer(random, usage);
    ReadingSink expected;
    EncoderSettings settings;
    settings.stream = true;
    const auto stream = dialect_.encoder(settings);
    settings.stream = false;
    const auto body = dialect_.encoder(settings);
    std::string wire, json;
    for (const auto& event : events) {
      expected.event(event.view());
      stream->event(event.view(), wire);
      body->event(event.view(), json);
    }
    ReadingSink streamed;
    const auto decoder = dialect_.decoder(true);
    const auto fed = feed_in_pieces(*decoder, wire, streamed, random);
    ASSERT_TRUE(fed) << fed.error().message << wire;
    ASSERT_EQ(streamed.answer, expected.answer) << wire;
    const auto read = whole(json);
    ASSERT_TRUE(read) << read.error().message << json;
    ASSERT_EQ(*read, expected.answer) << json;
  }
}

TEST_F(ChatTest, ReadsWhatTheOfficialClientSends) {
  const auto chat = decode(R"({"contents":[
    {"role":"user","parts":[{"text":"look"},{"inlineData":{"mimeType":"image/png","data":"QU_-"}},
      {"fileData":{"mimeType":"application/pdf","fileUri":"https://x.example/a.pdf"}}]},
    {"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"s0"},
      {"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"s1"},
      {"functionCall":{"name":"f","args":{}}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"one"}}},
      {"functionResponse":{"name":"f","response":{"x":2}}}]}],
    "system_instruction":{"parts":[{"text":"Be brief."}]},
    "tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":
      {"a":{"type":"INTEGER"}}}}]}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
    "generationConfig":{"maxOutputTokens":9,"topK":3,"responseMimeType":"application/json",
      "responseSchema":{"type":"OBJECT"},"thinkingConfig":{"thinkingBudget":0}},
    "safetySettings":[{"category":"X"}],"cachedContent":"c"})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 4u);
  EXPECT_EQ(chat->messages[0].role, Role::System);
  EXPECT_EQ(chat->messages[1].parts[1].media.data, "QU/+") << "of the usual alphabet";
  EXPECT_EQ(chat->messages[1].parts[2].kind, ChatPart::Kind::Document);
  const auto& calls = chat->messages[2].parts;
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].kind, ChatPart::Kind::Reasoning);
  EXPECT_EQ(calls[1].seal.value, "s1");
  EXPECT_NE(calls[1].id, calls[2].id);
  const auto& results = chat->messages[3].parts;
  EXPECT_EQ(results[0].id, calls[1].id) << "in their order, where there are no ids";
  EXPECT_EQ(results[1].id, calls[2].id);
  EXPECT_EQ(results[0].content[0].text, "one");
  EXPECT_EQ(results[1].content[0].text, R"({"x":2})");
  EXPECT_EQ(chat->tools[0].schema, R"({"type":"object","properties":
      {"a":{"type":"integer"}}})");
  EXPECT_EQ(chat->tool_choice.kind, ToolChoice::Kind::Named);
  EXPECT_TRUE(chat->reasoning.off);
  EXPECT_EQ(chat->format.kind, ResponseFormat::Kind::JsonSchema);
  ASSERT_EQ(chat->others.size(), 2u);
  EXPECT_TRUE(chat->others[0].hint);
  EXPECT_EQ(chat->others[1].field, "cachedContent");
}

TEST_F(ChatTest, ABlockedPromptIsNoEmptySuccess) {
  const auto answer = whole(
      R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}})");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->stop, Stop::Filtered);
  EXPECT_EQ(answer->input, 4u);
}

TEST_F(ChatTest, AnAnswerOfAnotherShapeIsAnError) {
  for (const std::string body : {R"({})", R"({"candidates":[]})", R"([])", "x",
                                 R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})"}) {
    const auto answer = whole(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::UpstreamBroken) << body;
  }
}

TEST_F(ChatTest, AStreamThatIsCutIsNoAnswer) {
  ReadingSink sink;
  std::mt19937_64 random(3);
  const auto decoder = dialect_.decoder(true);
  const auto fed = feed_in_pieces(
      *decoder, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\n\n", sink,
      random);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "upstream_cut");
  EXPECT_EQ(sink.answer.text, "Hi");
}

TEST_F(ChatTest, UnknownStopReasonsStayVisible) {
  const auto answer =
      whole(R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"FLOOD"}]})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->stop, Stop::Unknown);
}

TEST_F(ChatTest, ErrorsSayWhetherWaitingHelps) {
  const auto minute =
      dialect_.classify(429, {}, R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED",
    "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
      {"quotaId":"GenerateRequestsPerMinutePerProject"}]},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"55s"}]}})");
  EXPECT_EQ(minute.kind, ErrorKind::RateLimited);
  EXPECT_EQ(minute.retry_after, std::chrono::seconds(55));
  const auto day = dialect_.classify(429, {}, R"({"error":{"status":"RESOURCE_EXHAUSTED","details":[
    {"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}})");
  EXPECT_EQ(day.kind, ErrorKind::QuotaExhausted);
  EXPECT_EQ(dialect_.classify(503, {}, "").kind, ErrorKind::Overloaded);
  const auto key =
      dialect_.classify(400, {}, R"({"error":{"message":"API key not valid.","details":[
    {"reason":"API_KEY_INVALID"}]}})");
  EXPECT_EQ(key.code, "upstream_auth");
  EXPECT_TRUE(key.retryable);
  EXPECT_EQ(dialect_.classify(400, {}, R"({"error":{"message":"bad"}})").message, "bad");
}

TEST_F(ChatTest, StagesSeeTheTexts) {
  const auto done = read(R"({"contents":[{"role":"user","parts":[{"text":"one"},
    {"functionResponse":{"id":"i","name":"n","response":{"output":"two"}}}]}],
    "systemInstruction":{"parts":[{"text":"zero"}]}})");
  ASSERT_TRUE(done) << done.error().message;
  Request request(index_);
  std::vector<std::string> texts;
  for (auto& text : request.texts()) texts.emplace_back(text.get());
  EXPECT_EQ(texts, (std::vector<std::string>{"one", "two", "zero"}));
  ASSERT_TRUE(request.insert(0, Message{Role::System, "first"}));
  EXPECT_NE(request.joined().find(R"({"parts":[{"text":"first"},{"text":"zero"}]})"),
            std::string::npos)
      << request.joined();
}

}  // namespace
}  // namespace causeway::gemini
