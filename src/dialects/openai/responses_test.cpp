// The Responses API: what stages see of a request, the neutral chat, and answers in both forms.
#include "dialects/openai/responses.h"

#include <gtest/gtest.h>

#include "core/testing/random_chat.h"

namespace causeway::openai {
namespace {

using causeway::testing::random_answer, causeway::testing::read_frames,
    causeway::testing::ReadingSink;

class ResponsesTest : public ::testing::Test {
 protected:
  Result<void> read(const std::string& body) {
    padded_ = body + std::string(64, '\0');
    index_.clear();
    return dialect_.read(operation_, {}, std::string_view(padded_).substr(0, body.size()), index_);
  }
  Result<Chat> decode(const std::string& body) {
    if (auto done = read(body); !done) return std::unexpected(done.error());
    return dialect_.decode(operation_, Request(index_));
  }

  ResponsesDialect dialect_;
  Operation operation_;
  RequestIndex index_;
  std::string padded_;
};

TEST_F(ResponsesTest, WhatIsOfAWrongTypeIsRefusedByItsName) {
  const auto refused = [&](const std::string& members, const std::string& input = R"("hi")") {
    const auto chat = decode(R"({"model":"m","input":)" + input + members + "}");
    if (chat) return std::string("nothing");
    EXPECT_EQ(chat.error().kind, ErrorKind::InvalidRequest);
    EXPECT_NE(chat.error().message.find("must be"), std::string::npos) << chat.error().message;
    return chat.error().param;
  };
  EXPECT_EQ(refused(R"(,"temperature":null,"tools":[],"text":{"format":null})"), "nothing");
  EXPECT_EQ(refused(R"(,"temperature":"hot")"), "temperature");
  EXPECT_EQ(refused(R"(,"top_p":[1])"), "top_p");
  EXPECT_EQ(refused(R"(,"top_logprobs":1.5)"), "top_logprobs");
  EXPECT_EQ(refused(R"(,"instructions":["Be brief."])"), "instructions");
  EXPECT_EQ(refused(R"(,"parallel_tool_calls":"no")"), "parallel_tool_calls");
  EXPECT_EQ(refused(R"(,"user":5)"), "user");
  EXPECT_EQ(refused(R"(,"tools":{"type":"function"})"), "tools");
  EXPECT_EQ(refused(R"(,"tools":["weather"])"), "tools[0]");
  EXPECT_EQ(refused(R"(,"tools":[{"type":"function","name":1}])"), "tools[0].name");
  EXPECT_EQ(refused(R"(,"tools":[{"type":"function","name":"f","parameters":"{}"}])"),
            "tools[0].parameters");
  EXPECT_EQ(refused(R"(,"tool_choice":"maybe")"), "tool_choice");
  EXPECT_EQ(refused(R"(,"tool_choice":5)"), "tool_choice");
  EXPECT_EQ(refused(R"(,"text":"json")"), "text");
  EXPECT_EQ(refused(R"(,"text":{"format":{"type":"json_schema","schema":"{}"}})"),
            "text.format.schema");
  EXPECT_EQ(refused(R"(,"reasoning":"high")"), "reasoning");
  EXPECT_EQ(refused(R"(,"reasoning":{"effort":3})"), "reasoning.effort");
  EXPECT_EQ(refused("", R"([{"role":"user","content":5}])"), "input[0].content");
  EXPECT_EQ(refused("", R"([{"role":"sailor","content":"hi"}])"), "input[0].role");
  EXPECT_EQ(refused("", R"([{"role":"user","content":[{"type":"input_text","text":7}]}])"),
            "input[0].content[0].text");
  EXPECT_EQ(refused("", R"([{"role":"user","content":[{"type":"input_text","text":"a"},
                           {"type":"input_image","image_url":{"url":"x"}}]}])"),
            "input[0].content[1].image_url");
  EXPECT_EQ(refused("", R"([{"role":"user","content":[{"type":"input_audio",
                           "input_audio":"AAAA"}]}])"),
            "input[0].content[0].input_audio");
  EXPECT_EQ(refused("", R"([{"role":"user","content":"a"},{"type":"function_call","call_id":"c",
                           "name":"f","arguments":{"city":"Bern"}}])"),
            "input[1].arguments");
  EXPECT_EQ(refused("", R"([{"type":"function_call_output","call_id":7,"output":"x"}])"),
            "input[0].call_id");
}

TEST_F(ResponsesTest, AnswersAreReadAsTheyWereWritten) {
  std::mt19937_64 random(5);
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 5;
  usage.output_visible = 7;
  usage.reasoning = 3;
  ASSERT_TRUE(read(R"({"model":"m","input":"hi","temperature":0.5,"tools":[]})"));
  const Request request(index_);
  for (int i = 0; i < 3000; ++i) {
    const auto events = random_answer(random, usage);
    for (const bool stream : {true, false}) {
      ReadingSink expected;
      EncoderSettings settings;
      settings.stream = stream;
      settings.request = &request;
      const auto encoder = dialect_.encoder(settings);
      std::string wire;
      for (const auto& event : events) {
        expected.event(event.view());
        encoder->event(event.view(), wire);
      }
      for (auto& call : expected.answer.calls) call.id = call.name = "";
      // Without a text or a call, a filtered answer has no items at all.
      const auto reader = dialect_.reader(operation_);
      const auto read = read_frames(*reader, wire, !stream);
      ASSERT_TRUE(read) << read.error().message << read.error().detail;
      ASSERT_EQ(*read, expected.answer) << wire;
      ASSERT_NE(wire.find(R"("temperature":0.5)"), wire.npos);
      ASSERT_EQ(wire.find("[DONE]"), wire.npos);
    }
  }
}

TEST_F(ResponsesTest, StagesSeeTheTexts) {
  const auto done = read(R"({"model":"m","instructions":"Be brief.","input":[
    {"role":"user","content":[{"type":"input_text","text":"look"},
      {"type":"input_image","image_url":"https://x.example/a.png"}]},
    {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c","output":"done"}],"stream":true})");
  ASSERT_TRUE(done) << done.error().message;
  Request request(index_);
  std::vector<std::string> texts;
  for (auto& text : request.texts()) texts.emplace_back(text.get());
  EXPECT_EQ(texts, (std::vector<std::string>{"Be brief.", "look", "{}", "done"}));
  EXPECT_TRUE(index_.has_system_prompt);
  EXPECT_TRUE(index_.has_unread_content);
  EXPECT_TRUE(index_.stream);
  EXPECT_EQ(index_.texts[3].where.role, Role::Tool);
  ASSERT_TRUE(request.insert(0, Message{Role::System, "first"}));
  EXPECT_NE(request.joined().find(R"([{"role":"system","content":"first"},)"), std::string::npos)
      << request.joined();
}

TEST_F(ResponsesTest, DecodesAConversation) {
  const auto chat = decode(R"({"model":"m","instructions":"Be brief.","input":[
    {"role":"user","content":"weather?"},
    {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"e"},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"one"},
    {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]}],
    "tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],
    "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}},
    "reasoning":{"effort":"low"},"max_output_tokens":7,"store":true,"include":["x"]})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 4u);
  EXPECT_EQ(chat->messages[0].role, Role::System);
  ASSERT_EQ(chat->messages[2].parts.size(), 3u);
  EXPECT_EQ(chat->messages[2].parts[0].seal.value, "e");
  EXPECT_EQ(chat->messages[3].parts[1].name, "g");
  EXPECT_EQ(chat->format.kind, ResponseFormat::Kind::JsonSchema);
  EXPECT_EQ(chat->reasoning.effort, "low");
  EXPECT_EQ(chat->max_tokens, 7u);
  ASSERT_EQ(chat->others.size(), 2u);
  EXPECT_TRUE(chat->others[0].hint && chat->others[1].hint);
}

TEST_F(ResponsesTest, WhatNeedsAStoreIsNotServed) {
  for (const std::string member : {R"("previous_response_id":"r")", R"("conversation":"c")",
                                   R"("background":true)", R"("prompt":{"id":"p"})"}) {
    const auto done = read(R"({"model":"m","input":"hi",)" + member + "}");
    ASSERT_FALSE(done) << member;
    EXPECT_EQ(done.error().kind, ErrorKind::NotImplemented) << member;
    EXPECT_FALSE(done.error().param.empty());
  }
  EXPECT_TRUE(read(R"({"model":"m","input":"hi","previous_response_id":null,"background":false})"));
}

TEST_F(ResponsesTest, RefusesWhatIsNoRequest) {
  for (const std::string body :
       {R"([])", R"({"model":"m"})", R"({"input":"x"})", R"({"model":"m","input":[]})",
        R"({"model":"m","input":[{"content":"x"}]})", R"({"model":"m","input":3})",
        R"({"model":"m","input":[{"role":"user","role":"system","content":"x"}]})",
        R"({"model":"m","input":"x","stream":"yes"})", R"({"model":"m","input":"x"} 1)"}) {
    const auto done = read(body);
    ASSERT_FALSE(done) << body;
    EXPECT_EQ(done.error().kind, ErrorKind::InvalidRequest) << body;
  }
}

}  // namespace
}  // namespace causeway::openai
