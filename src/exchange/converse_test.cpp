// Requests that applications make in OpenAI's dialect, for Converse: what they become, and what is
// refused or left out.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <set>

#include "core/testing/random_chat.h"
#include "dialects/converse/dialect.h"
#include "dialects/openai/dialect.h"

namespace causeway::exchange {
namespace {

class ConverseTest : public ::testing::Test {
 protected:
  /// The body for a request that an application makes in OpenAI's dialect.
  Result<std::string> translate(const std::string& body,
                                std::string_view model = "amazon.nova-pro") {
    padded_ = body + std::string(64, '\0');
    index_.clear();
    left_out_ = {};
    const Operation operation;
    auto read =
        openai_.read(operation, {}, std::string_view(padded_).substr(0, body.size()), index_);
    if (!read) return pass(std::move(read));
    auto chat = openai_.decode(operation, Request(index_));
    if (!chat) return pass(std::move(chat));
    return dialect_.encode(*chat, model, left_out_);
  }
  /// The same for members behind a question.
  std::string with(const std::string& members, std::string_view model = "amazon.nova-pro") {
    const auto body = translate(
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + members + "}", model);
    EXPECT_TRUE(body) << body.error().message;
    return body.value_or("");
  }
  static bool has(const std::string& body, std::string_view part) {
    return body.find(part) != body.npos;
  }

  openai::OpenAiDialect openai_;
  converse::ConverseDialect dialect_;
  RequestIndex index_;
  std::string padded_;
  LeftOut left_out_;
};

TEST_F(ConverseTest, AConversationWithToolsAndMedia) {
  const auto body = translate(R"({"model":"m","max_tokens":9,"temperature":1.5,"stop":"END",
    "messages":[
    {"role":"system","content":"Be brief."},{"role":"developer","content":"Be kind."},
    {"role":"user","content":[{"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},
      {"type":"file","file":{"file_data":"data:application/pdf;base64,QUJD","filename":"a_b.pdf"}},
      {"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}}]},
    {"role":"assistant","content":"","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50}"}},
      {"id":"c/2","type":"function","function":{"name":"g","arguments":""}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},
    {"role":"tool","tool_call_id":"c/2","content":"two"},
    {"role":"user","content":"and?"}],
    "tools":[{"type":"function","function":{"name":"f","description":"d",
      "parameters":{"type":"object"},"strict":true}}],
    "tool_choice":{"type":"function","function":{"name":"f"}}})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body,
            R"({"messages":[{"role":"user","content":[{"text":"look"},)"
            R"({"image":{"format":"png","source":{"bytes":"QUJD"}}},)"
            R"({"document":{"format":"pdf","name":"a-b-pdf","source":{"bytes":"QUJD"}}},)"
            R"({"audio":{"format":"wav","source":{"bytes":"QUJD"}}}]},)"
            R"({"role":"assistant","content":[)"
            R"({"toolUse":{"toolUseId":"c1","name":"f","input":{"a": 1.50}}},)"
            R"({"toolUse":{"toolUseId":"c_2","name":"g","input":{}}}]},)"
            R"({"role":"user","content":[)"
            R"({"toolResult":{"toolUseId":"c1","content":[{"text":"one"}]}},)"
            R"({"toolResult":{"toolUseId":"c_2","content":[{"text":"two"}]}},{"text":"and?"}]}],)"
            R"("system":[{"text":"Be brief."},{"text":"Be kind."}],)"
            R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d",)"
            R"("inputSchema":{"json":{"type":"object"}},"strict":true}}],)"
            R"("toolChoice":{"tool":{"name":"f"}}},)"
            R"("inferenceConfig":{"maxTokens":9,"temperature":1,"stopSequences":["END"]}})");
}

// Whatever an application may send: the two sides take turns, results name calls
// that were made, arguments keep their value.
TEST_F(ConverseTest, RandomConversationsKeepBedrocksRules) {
  std::mt19937_64 random(4);
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    const Chat chat = causeway::testing::random_chat(random);
    LeftOut left_out;
    const auto body = dialect_.encode(chat, "anthropic.claude-sonnet-4-5", left_out);
    if (!body) {  // nothing but blank texts
      ASSERT_EQ(body.error().param, "messages");
      ++refused;
      continue;
    }
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_FALSE(parser.parse(simdjson::padded_string(*body)).get(root)) << *body;
    std::set<std::string> calls;
    std::vector<std::string> inputs;
    std::string_view before;
    bool has_calls = false;
    for (const auto message : root["messages"].get_array()) {
      const std::string_view role = message["role"].get_string();
      ASSERT_NE(role, before) << *body;
      before = role;
      for (const auto block : message["content"].get_array()) {
        simdjson::dom::element inner;
        std::string_view text;
        if (!block["text"].get_string().get(text)) {
          ASSERT_NE(text.find_first_not_of(" \t\r\n"), text.npos) << *body;
        } else if (!block["toolUse"].get(inner)) {
          has_calls = true;
          calls.emplace(inner["toolUseId"].get_string().value());
          inputs.push_back(simdjson::minify(inner["input"].value()));
        } else if (!block["toolResult"].get(inner)) {
          ASSERT_TRUE(calls.contains(std::string(inner["toolUseId"].get_string().value())));
        }
      }
    }
    ASSERT_FALSE(has_calls && root["toolConfig"].error()) << *body;
    std::size_t at = 0;
    for (const auto& message : chat.messages) {
      for (const auto& part : message.parts) {
        if (part.kind != ChatPart::Kind::ToolCall) continue;
        simdjson::dom::parser own;
        const simdjson::dom::element value = own.parse(simdjson::padded_string(part.arguments));
        ASSERT_EQ(inputs.at(at++), simdjson::minify(value)) << *body;
      }
    }
  }
  EXPECT_LT(refused, 100);
}

TEST_F(ConverseTest, ArgumentsThatAreNoObjectStayReadable) {
  const auto body = translate(R"({"model":"m","messages":[{"role":"user","content":"x"},
    {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":
      {"name":"f","arguments":"{\"cut\": "}}]},{"role":"tool","tool_call_id":"c","content":"?"}]})");
  ASSERT_TRUE(body);
  EXPECT_TRUE(has(*body, R"("input":{"arguments":"{\"cut\": "})")) << *body;
  EXPECT_TRUE(has(*body, R"("toolSpec":{"name":"f")")) << "tools are needed where calls stand";
}

TEST_F(ConverseTest, ReasoningIsAskedForInTheModelsOwnForm) {
  const std::string wish = R"("reasoning_effort":"low")";
  EXPECT_TRUE(has(with(wish, "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                  R"("thinking":{"type":"enabled","budget_tokens":2048})"));
  const std::string adaptive = with(wish, "anthropic.claude-opus-4-7");
  EXPECT_TRUE(has(adaptive, R"("thinking":{"type":"adaptive"})")) << adaptive;
  EXPECT_TRUE(has(adaptive, R"("outputConfig":{"effort":"low"})")) << adaptive;
  EXPECT_TRUE(has(with(wish, "openai.gpt-oss-120b-1:0"),
                  R"("additionalModelRequestFields":{"reasoning_effort":"low"})"));
  EXPECT_TRUE(has(with(wish, "amazon.nova-2-lite-v1:0"), R"("maxReasoningEffort":"low")"));
  EXPECT_FALSE(has(with(wish, "meta.llama3-70b"), "additionalModelRequestFields"));
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"reasoning"});
  const std::string off = R"("reasoning_effort":"none")";
  EXPECT_TRUE(has(with(off, "openai.gpt-oss-120b-1:0"), R"({"reasoning_effort":"low"})"));
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"reasoning"}) << "it always thinks";
}

TEST_F(ConverseTest, ThinkingLeavesRoomForTheAnswerAndNoSampling) {
  const std::string body =
      with(R"("reasoning_effort":"high","max_tokens":4000,"temperature":0.5,"top_p":0.9)",
           "anthropic.claude-3-7-sonnet");
  EXPECT_TRUE(has(body, R"("budget_tokens":2000)")) << body;
  EXPECT_FALSE(has(body, "temperature"));
  EXPECT_FALSE(
      has(with(R"("reasoning_effort":"high","max_tokens":1000)", "anthropic.claude-3-7-sonnet"),
          "thinking"));
}

TEST_F(ConverseTest, Formats) {
  EXPECT_TRUE(has(with(R"("response_format":{"type":"json_schema","json_schema":{"name":"n",
      "schema":{"type":"object"}}})"),
                  R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":)"
                  R"({"schema":"{\"type\":\"object\"}","name":"n"}}}})"));
  EXPECT_TRUE(has(with(R"("response_format":{"type":"json_object"})"), "one JSON object"));
}

TEST_F(ConverseTest, OneCallAtATime) {
  const std::string members =
      R"("parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f"}}])";
  EXPECT_TRUE(has(with(members, "anthropic.claude-3-haiku"),
                  R"("tool_choice":{"type":"auto","disable_parallel_tool_use":true})"));
  (void)with(members, "amazon.nova-lite");
  EXPECT_EQ(left_out_.fields, std::vector<std::string>{"parallel_tool_calls"});
}

TEST_F(ConverseTest, SaysWhatIsLeftOut) {
  (void)with(R"("n":2,"frequency_penalty":0.5,"logit_bias":{"5":1},"seed":4,"metadata":{"a":"b"})");
  EXPECT_EQ(left_out_.fields, (std::vector<std::string>{"frequency_penalty", "n", "logit_bias"}));
  EXPECT_EQ(left_out_.hints, (std::vector<std::string>{"seed", "metadata"}));
}

TEST_F(ConverseTest, RefusesWhatItCannotSay) {
  for (const std::string part :
       {R"({"type":"image_url","image_url":{"url":"https://x.example/a.png"}})",
        R"({"type":"image_url","image_url":{"url":"data:image/tiff;base64,QUJD"}})",
        R"({"type":"file","file":{"file_id":"file-1"}})"}) {
    const auto body =
        translate(R"({"model":"m","messages":[{"role":"user","content":[)" + part + "]}]}");
    ASSERT_FALSE(body) << part;
    EXPECT_EQ(body.error().kind, ErrorKind::InvalidRequest);
    EXPECT_EQ(body.error().param, "messages");
  }
  EXPECT_FALSE(translate(R"({"model":"m","messages":[{"role":"user","content":"  "}]})"));
}

TEST_F(ConverseTest, ImagesMayLieInS3) {
  const auto body = translate(R"({"model":"m","messages":[{"role":"user","content":[
    {"type":"image_url","image_url":{"url":"s3://bucket/a.png"}}]}]})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_TRUE(has(*body, R"("source":{"s3Location":{"uri":"s3://bucket/a.png"}})")) << *body;
}

TEST_F(ConverseTest, SealsGoBackToTheirMakerOnly) {
  Chat chat;
  ChatMessage question, answer;
  question.parts.emplace_back().text = "hi";
  answer.role = Role::Assistant;
  const auto add = [&](const char* text, const char* dialect, const char* value) {
    auto& part = answer.parts.emplace_back();
    part.kind = ChatPart::Kind::Reasoning;
    part.text = text;
    part.seal = {dialect, value};
  };
  add("thought", "anthropic", "c2ln");
  add("", "converse", "cmVk");
  add("other", "gemini", "xx");
  add("plain", "", "");
  chat.messages = {question, answer, question};
  LeftOut left_out;
  const auto body = dialect_.encode(chat, "anthropic.claude-sonnet-4-5", left_out);
  ASSERT_TRUE(body);
  EXPECT_TRUE(has(*body,
                  R"("content":[{"reasoningContent":{"reasoningText":{"text":"thought",)"
                  R"("signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}}])"))
      << *body;
  EXPECT_EQ(left_out.hints, std::vector<std::string>{"reasoning"});
}

TEST_F(ConverseTest, CachePoints) {
  Chat chat;
  ChatMessage message;
  auto& part = message.parts.emplace_back();
  part.text = "long";
  part.cache = R"({"type":"ephemeral","ttl":"1h"})";
  chat.messages = {message};
  LeftOut left_out;
  const auto body = dialect_.encode(chat, "m", left_out);
  ASSERT_TRUE(body);
  EXPECT_TRUE(has(*body, R"([{"text":"long"},{"cachePoint":{"type":"default","ttl":"1h"}}])"))
      << *body;
}

}  // namespace
}  // namespace causeway::exchange
