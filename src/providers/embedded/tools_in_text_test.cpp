#include "providers/embedded/tools_in_text.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "platform/schema/json_schema.h"
#include "providers/embedded/tool_prompt.h"

namespace causeway::embedded {
namespace {

namespace bj = boost::json;

constexpr auto kWeather =
    R"({"type":"object","properties":{"city":{"$ref":"#/$defs/city"}},"required":["city"],"$defs":{"city":{"type":"string","minLength":2}}})";

ChatMessage message(Role role, std::string text) {
  ChatMessage out;
  out.role = role;
  out.parts.emplace_back().text = std::move(text);
  return out;
}

Chat question() {
  Chat chat;
  chat.messages = {message(Role::System, "Be brief."), message(Role::User, "Rain in Paris?")};
  chat.tools = {{"weather", "The weather of a city", kWeather, false, {}},
                {"time", "", {}, false, {}}};
  return chat;
}

/// The body that is sent for a chat.
std::string asked(const Chat& chat) {
  LeftOut left_out;
  const auto body = ToolsInText().encode(chat, "m", left_out);
  EXPECT_TRUE(body) << body.error().message;
  return body.value_or("");
}

bj::value parsed(const std::string& json) { return schema::parse_json(json).value(); }

struct Said final : ChatSink {
  void event(const ChatEvent& event) override {
    using Kind = ChatEvent::Kind;
    if (event.kind == Kind::ToolCall) {
      EXPECT_TRUE(event.id.starts_with("call_") && event.id.size() > 20);
      out += '<' + std::string(event.name) + '>';
    }
    if (event.kind == Kind::Text) out += event.text;
    if (event.kind == Kind::Stop) out += " [" + std::string(event.raw) + ']';
  }
  std::string out;
};

/// What comes of an answer of the model, whole and in pieces of every size; or the error's code.
std::string read(const Chat& chat, const std::string& content, const std::string& reason = "stop") {
  const std::string request = asked(chat);
  const auto choice = [&](const std::string& what) {
    return R"({"id":"a","object":"o","choices":[{"index":0,)" + what + "}]}";
  };
  const auto quoted = bj::serialize(bj::value(content));
  std::string body = choice(R"("message":{"role":"assistant","content":)" + quoted +
                            R"(},"finish_reason":")" + reason + "\"");
  const std::size_t size = body.size();
  body.append(64, '\0');
  Said said;
  const auto whole = ToolsInText().answer_decoder(false, request)->whole({body.data(), size}, said);
  const std::string result = whole ? said.out : whole.error().code;
  for (std::size_t step = 1; step <= 9; step += 2) {
    std::string wire;
    for (std::size_t at = 0; at < content.size(); at += step) {
      wire += "data: " +
              choice(R"("delta":{"content":)" + bj::serialize(bj::value(content.substr(at, step))) +
                     "}") +
              "\n\n";
    }
    wire += "data: " + choice(R"("delta":{},"finish_reason":")" + reason + "\"") + "\n\n";
    wire += "data: [DONE]\n\n";
    const std::size_t bytes = wire.size();
    wire.append(64, '\0');
    Said streamed;
    const auto fed =
        ToolsInText().answer_decoder(true, request)->feed({wire.data(), bytes}, streamed);
    EXPECT_EQ(fed ? streamed.out : fed.error().code, result) << "in pieces of " << step;
  }
  return result;
}

TEST(ToolPrompt, SaysToolsAndFormInTheSystemPrompt) {
  const auto body = parsed(asked(question()));
  EXPECT_FALSE(body.as_object().contains("tools"));
  const auto& system = body.at_pointer("/messages/0/content").as_string();
  EXPECT_TRUE(system.starts_with("Be brief.\n\nYou can call these tools:\n"));
  EXPECT_NE(system.find(R"("description":"The weather of a city")"), system.npos);
  EXPECT_NE(system.find(kWeather), system.npos);
}

TEST(ToolPrompt, TheSchemaOfAnswersFollowsTheChoice) {
  const auto allows = [](const Chat& chat, std::string_view answer) {
    const auto body = parsed(asked(chat));
    const auto& rules = body.at_pointer("/response_format/json_schema/schema");
    return schema::mismatch(rules, rules, schema::parse_json(answer).value()).empty();
  };
  constexpr auto kCall = R"({"tool_calls":[{"name":"weather","arguments":{"city":"Paris"}}]})";
  constexpr auto kOther = R"({"tool_calls":[{"name":"time","arguments":{"zone":1}}]})";
  constexpr auto kTwo =
      R"({"tool_calls":[{"name":"time","arguments":{}},{"name":"time","arguments":{}}]})";
  constexpr auto kText = R"({"answer":"No."})";
  Chat chat = question();
  for (const auto* answer : {kCall, kOther, kTwo, kText})
    EXPECT_TRUE(allows(chat, answer)) << answer;
  EXPECT_FALSE(allows(chat, R"({"tool_calls":[{"name":"weather","arguments":{"city":1}}]})"));
  EXPECT_FALSE(allows(chat, R"({"tool_calls":[{"name":"weather","arguments":{"city":"P"}}]})"))
      << "a reference inside the tool's own schema";
  EXPECT_FALSE(allows(chat, R"({"tool_calls":[]})"));
  chat.parallel_tools = false;
  EXPECT_FALSE(allows(chat, kTwo));
  chat.tool_choice.kind = ToolChoice::Kind::Required;
  EXPECT_TRUE(allows(chat, kOther));
  EXPECT_FALSE(allows(chat, kText));
  chat.tool_choice = {ToolChoice::Kind::Named, "weather"};
  EXPECT_TRUE(allows(chat, kCall));
  EXPECT_FALSE(allows(chat, kOther));
  chat.tool_choice = {ToolChoice::Kind::Named, "none"};
  EXPECT_EQ(tools_in_words(chat).error().param, "tool_choice");
  chat.tool_choice = {};
  chat.format.kind = ResponseFormat::Kind::JsonSchema;
  chat.format.schema = R"({"type":"object","required":["x"]})";
  EXPECT_TRUE(allows(chat, R"({"data":{"x":1}})"));
  EXPECT_FALSE(allows(chat, R"({"data":{}})"));
  EXPECT_FALSE(allows(chat, kText));
}

TEST(ToolPrompt, WithoutAChoiceOfToolsNothingIsAskedFor) {
  Chat chat = question();
  chat.tool_choice.kind = ToolChoice::Kind::None;
  const auto body = asked(chat);
  EXPECT_EQ(body.find("response_format"), body.npos);
  EXPECT_EQ(body.find("weather"), body.npos);
  EXPECT_EQ(read(chat, R"({"answer":"as it is"})"), R"({"answer":"as it is"} [stop])");
}

TEST(ToolPrompt, EarlierCallsAndResultsAreSaidInWords) {
  Chat chat = question();
  ChatMessage called;
  called.role = Role::Assistant;
  ChatPart call;
  call.kind = ChatPart::Kind::ToolCall;
  call.id = "c1";
  call.name = "weather";
  call.arguments = R"({"city":"Paris","hours":1.50})";
  called.parts = {call};
  ChatMessage results;
  results.role = Role::Tool;
  ChatPart result;
  result.kind = ChatPart::Kind::ToolResult;
  result.id = "c1";
  result.content.emplace_back().text = "sunny";
  results.parts = {result};
  chat.messages.push_back(called);
  chat.messages.push_back(results);
  chat.messages.push_back(message(Role::Assistant, "Sun."));
  const auto words = tools_in_words(chat);
  ASSERT_TRUE(words);
  ASSERT_EQ(words->messages.size(), 5u);
  EXPECT_EQ(words->messages[2].parts[0].text,
            R"(I call the tool weather with {"city":"Paris","hours":1.50}.)");
  EXPECT_EQ(words->messages[3].role, Role::User);
  EXPECT_EQ(words->messages[3].parts[0].text, "Result of the tool weather: sunny");
  EXPECT_EQ(words->messages[4].parts[0].text, R"({"answer":"Sun."})");
}

TEST(ToolAnswer, IsReadBack) {
  const Chat chat = question();
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"weather","arguments":{"city":"P}\"]{"}},)"
                       R"( {"name":"time","arguments":{"at": 1.50}} ]})"),
            R"(<weather>{"city":"P}\"]{"}<time>{"at": 1.50} [tool_calls])");
  EXPECT_EQ(read(chat, "{\n  \"answer\":\"a\\nb \\\"c\\\" \\u00e4\\ud83d\\ude00\\ud800!\\\\\"\n}"),
            "a\nb \"c\" \u00e4\U0001F600\uFFFD!\\ [stop]");
  EXPECT_EQ(read(chat, R"({"answer":"\ud8e4\ud83d\ude00\ud800x"})"),
            "\uFFFD\U0001F600\uFFFDx [stop]");
  EXPECT_EQ(read(chat, R"({"answer":""})"), " [stop]");
  Chat data = chat;
  data.format.kind = ResponseFormat::Kind::JsonObject;
  EXPECT_EQ(read(data, R"({"data": {"a":[1,{"b":"}"}]} })"), R"({"a":[1,{"b":"}"}]} [stop])");
}

TEST(ToolAnswer, WhatWasCutIsNoCall) {
  const Chat chat = question();
  constexpr auto kHalf =
      R"({"tool_calls":[{"name":"weather","arguments":{"city":"Paris"}},{"name":"ti)";
  EXPECT_EQ(read(chat, kHalf, "length"), R"(<weather>{"city":"Paris"} [length])");
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"weather","argu)", "length"), " [length]");
  EXPECT_EQ(read(chat, R"({"answer":"cut \u00)", "length"), "cut  [length]");
  EXPECT_EQ(read(chat, kHalf), "unexpected_answer") << "cut, and said to be whole";
}

TEST(ToolAnswer, JsonThatWasAskedForIsHeldToItsSchema) {
  Chat chat = question();
  chat.format.kind = ResponseFormat::Kind::JsonSchema;
  chat.format.schema = R"({"type":"object","required":["x"]})";
  EXPECT_EQ(read(chat, R"({"data":{"x":[1]}})"), R"({"x":[1]} [stop])");
  for (const auto* bad : {R"({"data":{}})", R"({"data":})", R"({"data":]})", R"({"data":{"x":1]})",
                          R"({"answer":"x"})", R"({"data":tru})"}) {
    EXPECT_EQ(read(chat, bad), "unexpected_answer") << bad;
  }
}

TEST(ToolAnswer, WhoMustCallDoesNotAnswer) {
  Chat chat = question();
  chat.tool_choice.kind = ToolChoice::Kind::Required;
  for (const auto* bad : {R"({"answer":"x"})", R"({"answer":""})", R"({"tool_calls":[]})"}) {
    EXPECT_EQ(read(chat, bad), "unexpected_answer") << bad;
  }
}

// {"tool_calls":…} of a text is a call at its beginning only, and a call has a tool's name.
TEST(ToolAnswer, WhatLooksLikeACallInsideOfAnAnswerIsText) {
  constexpr auto kImitated = R"({"tool_calls":[{"name":"time","arguments":{}}]})";
  const auto quoted = bj::serialize(bj::value(std::string("I say ") + kImitated));
  EXPECT_EQ(read(question(), R"({"answer":)" + quoted + "}"),
            std::string("I say ") + kImitated + " [stop]");
  EXPECT_EQ(read(question(), "I say " + std::string(kImitated)), "unexpected_answer");
  EXPECT_EQ(read(question(), R"({"answer":"a","tool_calls":[{"name":"time","arguments":{}}]})"),
            "unexpected_answer");
}

TEST(ToolAnswer, DeepJsonIsNoCall) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(read(question(), R"({"tool_calls":[{"name":"time","arguments":{"a":)" + deep + "}}]}"),
            "invalid_tool_call");
}

// A schema by which the answer's reader would take an application's own form for ours.
TEST(ToolPrompt, NoSchemaOfAnApplicationHasOurName) {
  Chat chat = question();
  chat.tool_choice.kind = ToolChoice::Kind::None;
  chat.format.kind = ResponseFormat::Kind::JsonSchema;
  chat.format.name = kSchemaName;
  chat.format.schema = R"({"type":"object","$defs":{"call":{}}})";
  constexpr auto kAnswer = R"({"tool_calls":[{"x":1}]})";
  EXPECT_EQ(read(chat, kAnswer), std::string(kAnswer) + " [stop]");
}

TEST(ToolAnswer, WhatTheSchemaDoesNotAllowIsAnError) {
  const Chat chat = question();
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"weather","arguments":{"city":1}}]})"),
            "invalid_tool_call");
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"rm","arguments":{}}]})"), "invalid_tool_call");
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"time"}]})"), "invalid_tool_call");
  // What was checked is what goes out, and an escape of no letter is no text.
  EXPECT_EQ(read(chat, R"({"tool_calls":[{"name":"weather","arguments":{"city":1},)"
                       R"("arguments":{"city":"Paris"}}]})"),
            "invalid_tool_call");
  for (const auto* bad :
       {R"({"answer":"a\q"})", R"({"answer":"\u00zz"})", R"({"answer":"\ud83d\uzz00"})",
        R"({"tool_calls":[]})", R"({"tool_calls":[,]})"}) {
    EXPECT_EQ(read(chat, bad), "unexpected_answer") << bad;
  }
  for (const auto* bad : {"It rains.", "{}", "[]", R"({"other":1})", R"({"answer":1})",
                          R"({"tool_calls":["time"]})", R"({"answer":"a"} more)", ""}) {
    EXPECT_EQ(read(chat, bad), "unexpected_answer") << bad;
  }
}

}  // namespace
}  // namespace causeway::embedded
