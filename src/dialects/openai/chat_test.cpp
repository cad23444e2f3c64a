// OpenAI's side of the translation: what it reads it writes again, as requests and as answers.
#include <gtest/gtest.h>

#include "core/testing/random_chat.h"
#include "dialects/openai/dialect.h"

namespace causeway::openai {
namespace {

using causeway::testing::feed_in_pieces, causeway::testing::OwnedEvent,
    causeway::testing::random_answer, causeway::testing::random_chat, causeway::testing::ReadAnswer,
    causeway::testing::ReadingSink;

constexpr int kCases = 10'000;

class ChatTest : public ::testing::Test {
 protected:
  Result<Chat> decode(const std::string& body) {
    padded_ = body + std::string(64, '\0');
    index_.clear();
    auto read =
        dialect_.read(operation_, {}, std::string_view(padded_).substr(0, body.size()), index_);
    if (!read) return std::unexpected(read.error());
    return dialect_.decode(operation_, Request(index_));
  }
  std::string encode(const Chat& chat) {
    LeftOut left_out;
    auto body = dialect_.encode(chat, chat.model, left_out);
    EXPECT_TRUE(body) << body.error().message;
    left_out_ = left_out;
    return body ? *body : "";
  }
  ReadAnswer whole(const std::string& body) {
    ReadingSink sink;
    const std::string padded = body + std::string(64, '\0');
    const auto read =
        dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink);
    EXPECT_TRUE(read) << read.error().message << body;
    return sink.answer;
  }

  OpenAiDialect dialect_;
  Operation operation_;
  RequestIndex index_;
  std::string padded_;
  LeftOut left_out_;
};

TEST_F(ChatTest, WhatIsWrittenIsReadAgainTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kCases; ++i) {
    const Chat chat = random_chat(random);
    const std::string body = encode(chat);
    const auto again = decode(body);
    ASSERT_TRUE(again) << again.error().message << body;
    ASSERT_EQ(encode(*again), body);
    ASSERT_EQ(again->messages.size(), chat.messages.size()) << body;
    ASSERT_EQ(again->stream, chat.stream);
    ASSERT_EQ(again->tools.size(), chat.tools.size());
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
    ASSERT_EQ(whole(json), expected.answer) << json;
  }
}

TEST_F(ChatTest, ReadsEveryKindOfPart) {
  const auto chat = decode(R"({"model":"m","messages":[
    {"role":"developer","content":"Be brief."},
    {"role":"user","name":"ann","content":[{"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD","detail":"low"}},
      {"type":"image_url","image_url":{"url":"https://x.example/a.png"}},
      {"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}},
      {"type":"file","file":{"file_data":"data:application/pdf;base64,QUJD","filename":"a.pdf"}}]},
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},
    {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"two"}]}],
    "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}],
    "tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,
    "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},
    "reasoning_effort":"low","stop":"END","max_tokens":9,"seed":4,"n":2,"metadata":{"a":"b"},
    "logit_bias":{"5":1},"user":"u1"})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 4u);
  EXPECT_EQ(chat->messages[0].role, Role::Developer);
  const auto& parts = chat->messages[1].parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[1].media.type, "image/png");
  EXPECT_EQ(parts[1].media.data, "QUJD");
  EXPECT_EQ(parts[1].media.detail, "low");
  EXPECT_EQ(parts[2].media.url, "https://x.example/a.png");
  EXPECT_EQ(parts[3].media.type, "audio/wav");
  EXPECT_EQ(parts[4].kind, ChatPart::Kind::Document);
  EXPECT_EQ(parts[4].media.name, "a.pdf");
  ASSERT_EQ(chat->messages[3].parts.size(), 2u) << "the results of one answer stand together";
  EXPECT_EQ(chat->messages[3].parts[1].name, "g");
  EXPECT_EQ(chat->messages[3].parts[1].content[0].text, "two");
  EXPECT_TRUE(chat->tools[0].strict);
  EXPECT_EQ(chat->tool_choice.name, "f");
  EXPECT_EQ(chat->format.schema, R"({"type":"object"})");
  EXPECT_EQ(chat->stop, std::vector<std::string>{"END"});
  EXPECT_EQ(chat->choices, 2u);
  EXPECT_EQ(chat->user, "u1");
  ASSERT_EQ(chat->others.size(), 2u);
  EXPECT_TRUE(chat->others[0].hint) << chat->others[0].field;
  EXPECT_EQ(chat->others[1].field, "logit_bias");
  EXPECT_FALSE(chat->others[1].hint);
}

TEST_F(ChatTest, ReasoningThatCannotBeSwitchedOffIsNamed) {
  Chat chat;
  chat.model = "m";
  chat.messages.emplace_back().parts.emplace_back().text = "x";
  chat.reasoning.off = true;
  auto body = dialect_.encode(chat, chat.model, left_out_);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->find("reasoning"), body->npos);
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"reasoning"});
  left_out_ = {};
  chat.reasoning.effort = "none";
  body = dialect_.encode(chat, chat.model, left_out_);
  EXPECT_NE(body->find(R"("reasoning_effort":"none")"), body->npos);
  EXPECT_TRUE(left_out_.hints.empty());
}

TEST_F(ChatTest, NamesTheFieldThatNoOtherDialectHas) {
  for (const auto& [member, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("tools":[{"type":"custom","custom":{"name":"x"}}])", "tools"},
           {R"("tool_choice":{"type":"allowed_tools"})", "tool_choice"},
           {R"("response_format":{"type":"grammar"})", "response_format"}}) {
    const auto chat =
        decode(R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + member + "}");
    ASSERT_FALSE(chat) << member;
    EXPECT_EQ(chat.error().kind, ErrorKind::InvalidRequest);
    EXPECT_EQ(chat.error().param, field);
  }
}

TEST_F(ChatTest, AnAnswerOfAnotherShapeIsNoEmptySuccess) {
  for (const std::string body : {R"({})", R"({"choices":[]})", R"({"data":[1]})", R"([])", "x"}) {
    ReadingSink sink;
    const std::string padded = body + std::string(64, '\0');
    const auto read =
        dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::UpstreamBroken) << body;
    EXPECT_FALSE(sink.answer.ended);
  }
}

TEST_F(ChatTest, AStreamThatIsCutIsNoAnswer) {
  ReadingSink sink;
  std::mt19937_64 random(3);
  const auto decoder = dialect_.decoder(true);
  const auto fed = feed_in_pieces(
      *decoder, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n", sink,
      random);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "upstream_cut");
  EXPECT_EQ(sink.answer.text, "Hi");
}

TEST_F(ChatTest, UnknownStopReasonsStayVisible) {
  ReadingSink sink;
  const std::string body =
      R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"flood"}]})";
  const std::string padded = body + std::string(64, '\0');
  ASSERT_TRUE(
      dialect_.decoder(false)->whole(std::string_view(padded).substr(0, body.size()), sink));
  EXPECT_EQ(sink.answer.stop, Stop::Unknown);
  ChatEvent stop;
  stop.kind = ChatEvent::Kind::Stop;
  stop.stop = Stop::Unknown;
  stop.raw = "flood";
  std::string out;
  EncoderSettings settings;
  settings.stream = true;
  dialect_.encoder(settings)->event(stop, out);
  EXPECT_NE(out.find(R"("finish_reason":"flood")"), out.npos) << out;
}

}  // namespace
}  // namespace causeway::openai
