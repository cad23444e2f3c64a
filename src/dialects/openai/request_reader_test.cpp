#include <gtest/gtest.h>

#include "dialects/openai/dialect.h"

namespace causeway::openai {
namespace {

struct Read {
  std::string body;
  RequestIndex index;
  Result<void> result;
  Operation operation;

  explicit Read(std::string text, OperationKind kind = OperationKind::Chat)
      : body(std::move(text)) {
    body.reserve(body.size() + 64);
    operation.kind = kind;
    result = OpenAiDialect().read(operation, {}, body, index);
  }
  std::string text(std::size_t i) const {
    std::string storage;
    return std::string(decode_json_string(index.bytes(index.texts[i].value), storage));
  }
};

TEST(RequestReader, FindsWhatStagesMayChange) {
  Read read(R"( {"model" : "m" , "stream":true,
    "messages":[ {"role":"system","content":"be kind"},
      {"content":[{"type":"text","text":"a\nb"},{"type":"image_url","image_url":{"url":"data:x"}}],"role":"user","name":"Ann"},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
      {"role":"tool","tool_call_id":"c","content":"42"} ] ,
    "metadata":{"k":"v"},"user":"u1","n":2,"max_completion_tokens":7 } )");
  ASSERT_TRUE(read.result) << read.result.error().message;
  const auto& index = read.index;
  EXPECT_EQ(index.model, "m");
  EXPECT_TRUE(index.stream);
  EXPECT_EQ(index.choices, 2u);
  EXPECT_EQ(index.max_tokens, 7u);
  EXPECT_TRUE(index.has_unread_content);
  ASSERT_EQ(index.messages.size(), 4u);
  EXPECT_EQ(index.bytes(index.messages[0].value), R"({"role":"system","content":"be kind"})");
  EXPECT_EQ(index.bytes(index.messages[3].value),
            R"({"role":"tool","tool_call_id":"c","content":"42"})");
  EXPECT_EQ(index.bytes(index.messages_array).front(), '[');
  EXPECT_EQ(index.bytes(index.messages_array).back(), ']');
  ASSERT_EQ(index.texts.size(), 7u);
  EXPECT_EQ(read.text(0), "be kind");
  EXPECT_EQ(index.texts[0].where.role, Role::System);
  EXPECT_EQ(read.text(1), "a\nb");
  EXPECT_EQ(index.texts[1].where.role, Role::User) << "the role stands behind the content";
  EXPECT_EQ(read.text(2), "Ann");
  EXPECT_EQ(index.texts[2].where.kind, TextKind::Name);
  EXPECT_EQ(read.text(3), "{\"a\":1}");
  EXPECT_EQ(index.texts[3].where.kind, TextKind::ToolArguments);
  EXPECT_EQ(index.texts[4].where.kind, TextKind::ToolResult);
  EXPECT_EQ(index.texts[5].where.kind, TextKind::Metadata);
  EXPECT_EQ(index.texts[6].where.kind, TextKind::UserId);
}

TEST(RequestReader, WhatNobodyKnowsByNameIsATextToo) {
  Read read(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"text","text":"hi","x":"Jane Roe"},
      {"type":"image_url","image_url":{"url":"data:x","detail":"Of Jane Roe"}},
      {"type":"file","file":{"filename":"Jane.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}],
    "seed":1234567890,"service_tier":"default","x":{"card":4111111111111111,"n":12345,"f":1234567.5,
    "signature":"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz0123456789=="}})");
  ASSERT_TRUE(read.result) << read.result.error().message;
  std::vector<std::string> others;
  for (const auto& text : read.index.texts) {
    if (text.where.kind == TextKind::Other) others.emplace_back(read.index.bytes(text.value));
  }
  EXPECT_EQ(others, (std::vector<std::string>{"\"Jane Roe\"", "4111111111111111"}));
  Request request(read.index);
  for (Text& text : request.texts()) {
    if (text.where().kind == TextKind::Other) text.set("[X]");
  }
  ASSERT_EQ(read.index.unread.size(), 2u);
  EXPECT_FALSE(read.index.unread_elsewhere);
  request.leave_out(0);
  request.leave_out(1);
  EXPECT_NE(request.joined().find(R"("hi","x":"[X]"},
      {"type":"text","text":"[left out]"},
      {"type":"text","text":"[left out]"}]}])"),
            std::string::npos)
      << request.joined();
  EXPECT_NE(request.joined().find(R"("card":"[X]","n":12345)"), std::string::npos);
}

TEST(RequestReader, TellsWhichResultBelongsToWhichCall) {
  Read read(
      R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c\u0041","type":"function",
    "function":{"name":"f","arguments":"{}"}},{"type":"function"}]},
    {"role":"tool","tool_call_id":"cA","content":"1"},{"role":"tool","content":"2"},
    {"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"3"},
    {"role":"assistant","content":"done","function_call":null}]})");
  ASSERT_TRUE(read.result) << read.result.error().message;
  std::string calls;
  for (const auto& call : read.index.calls) {
    calls += std::to_string(call.message) + (call.result ? "r" : "c") + std::string(call.id) + " ";
  }
  EXPECT_EQ(calls, "0ccA 0c 1rcA 2r 3c 4r ");
}

TEST(RequestReader, MemberRangesAreExact) {
  Read read(
      "{ \"model\" : \"m\" ,\n\"temperature\" : 0.5 , \"messages\" : [ "
      "{\"role\":\"user\",\"content\":\"x\"} ] }");
  ASSERT_TRUE(read.result) << read.result.error().message;
  const auto* temperature = read.index.member("temperature");
  ASSERT_NE(temperature, nullptr);
  EXPECT_EQ(read.index.bytes(temperature->whole), "\"temperature\" : 0.5");
  EXPECT_EQ(read.index.bytes(temperature->value), "0.5");
  EXPECT_EQ(read.index.bytes(read.index.member("messages")->value),
            "[ {\"role\":\"user\",\"content\":\"x\"} ]");
}

TEST(RequestReader, PromptsAndInputs) {
  Read prompt(R"({"model":"m","prompt":["a","b"],"suffix":"s"})", OperationKind::Completion);
  ASSERT_TRUE(prompt.result);
  EXPECT_EQ(prompt.index.texts.size(), 3u);
  Read tokens(R"({"model":"m","input":[[1,2],[3]]})", OperationKind::Embeddings);
  ASSERT_TRUE(tokens.result);
  EXPECT_EQ(tokens.index.inputs, 2u);
  EXPECT_TRUE(tokens.index.has_unread_content);
  Read one(R"({"model":"m","input":"x","encoding_format":"base64"})", OperationKind::Embeddings);
  ASSERT_TRUE(one.result);
  EXPECT_TRUE(one.index.base64_embeddings);
}

struct Refusal {
  const char* body;
  const char* param;
  const char* says;
};

class Refusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refusals, AreClear) {
  Read read(GetParam().body);
  ASSERT_FALSE(read.result) << GetParam().body;
  EXPECT_EQ(read.result.error().kind, ErrorKind::InvalidRequest);
  EXPECT_EQ(read.result.error().param, GetParam().param) << read.result.error().message;
  EXPECT_NE(read.result.error().message.find(GetParam().says), std::string::npos)
      << read.result.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(
        Refusal{"", "", "not valid JSON"}, Refusal{"[]", "", "must be a JSON object"},
        Refusal{R"({"model":"m")", "", "not valid JSON"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"x"}]} {})", "", "goes on"},
        Refusal{R"({"messages":[{"role":"user","content":"x"}]})", "model", "missing"},
        Refusal{R"({"model":7,"messages":[]})", "model", "must be a string"},
        Refusal{R"({"model":"m"})", "messages", "missing"},
        Refusal{R"({"model":"m","messages":[]})", "messages", "empty"},
        Refusal{R"({"model":"m","messages":{}})", "messages", "must be a list"},
        Refusal{R"({"model":"m","messages":[{"content":"x"}]})", "messages[0].role", "missing"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content",
                "must be a string"},
        Refusal{R"({"model":"m","model":"n","messages":[]})", "model", "duplicate"},
        Refusal{R"({"model":"m","mod\u0065l":"n","messages":[]})", "model", "duplicate"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"a","content":"b"}]})",
                "messages[0]", "duplicate"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"a"}],"stream":"yes"})",
                "stream", "true or false"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"a"}],"n":0})", "n",
                "1 to 128"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"\q"}]})", "", "escape"},
        Refusal{R"({"model":"m","messages":[{"role":"user":"x"},"content":"a"}]})", "",
                "not valid JSON"},
        Refusal{R"({"model":"m","messages":[{"content":"a":"x"},"role":"user"}]})", "",
                "not valid JSON"},
        Refusal{
            R"({"messages":[{"role":"user","content":"a"}],"x":{"y":"a":"b"},"z":1},"model":"m"})",
            "", "not valid JSON"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"a"}],"x":tru})", "",
                "not valid JSON"},
        Refusal{R"({"model":"m","messages":[{"role":"user","content":"a"}],"x":[1,2})", "",
                "not valid JSON"}));

TEST(RequestReader, DepthIsBounded) {
  std::string deep(200, '['), close(200, ']');
  Read read(R"({"model":"m","messages":[{"role":"user","content":"a"}],"x":)" + deep + close + "}");
  EXPECT_FALSE(read.result);
}

TEST(RequestReader, LargeNumbersPass) {
  Read read(
      R"({"model":"m","messages":[{"role":"user","content":"a"}],"seed":123456789012345678901234567890})");
  EXPECT_TRUE(read.result) << read.result.error().message;
}

TEST(Address, SplicesTheModelAndAsksForUsage) {
  const auto addressed = [](const char* body) {
    Read read(body);
    Request request(read.index);
    OpenAiDialect().address(read.operation, "up", true, request);
    return request.joined();
  };
  EXPECT_EQ(addressed(R"({"model":"m","messages":[{"role":"user","content":"a"}]})"),
            R"({"model":"up","messages":[{"role":"user","content":"a"}]})");
  EXPECT_EQ(
      addressed(R"({"stream":true,"model":"m","messages":[{"role":"user","content":"a"}]})"),
      R"({"stream":true,"model":"up","messages":[{"role":"user","content":"a"}],"stream_options":{"include_usage":true}})");
  EXPECT_EQ(
      addressed(
          R"({"stream":true,"stream_options":{"include_usage" : false, "x":1},"model":"m","messages":[{"role":"user","content":"a"}]})"),
      R"({"stream":true,"stream_options":{"include_usage" : true, "x":1},"model":"up","messages":[{"role":"user","content":"a"}]})");
  EXPECT_EQ(
      addressed(
          R"({"stream":true,"stream_options":{},"model":"m","messages":[{"role":"user","content":"a"}]})"),
      R"({"stream":true,"stream_options":{"include_usage":true},"model":"up","messages":[{"role":"user","content":"a"}]})");
}

}  // namespace
}  // namespace causeway::openai
