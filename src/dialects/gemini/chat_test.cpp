// Gemini's side of the translation: what it reads it writes again, as requests and as answers.
#include "dialects/gemini/test_support.h"
#include "dialects/gemini/words.h"

namespace causeway::gemini {
namespace {

using namespace causeway::testing;
using Kind = ChatPart::Kind;

constexpr int kCases = 10'000;

class ChatTest : public testing::DialectTest {};

// What of a conversation Gemini can say: one system prompt in front of all else, no tools to choose
// from where there are none, and no parts that say nothing.
Chat sayable(Chat chat) {
  if (chat.tools.empty()) chat.tool_choice = {};
  return chat;
}

void expect_same_parts(const std::vector<ChatPart>& a, const std::vector<ChatPart>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].kind, b[i].kind);
    ASSERT_EQ(a[i].text, b[i].text);
    ASSERT_EQ(a[i].id, b[i].id);
    ASSERT_EQ(a[i].name, b[i].name);
    ASSERT_EQ(a[i].arguments, b[i].arguments);
    ASSERT_NO_FATAL_FAILURE(expect_same_parts(a[i].content, b[i].content));
  }
}

// A Tool's turn and the User's behind it are one content of Gemini's, and two messages again.
void expect_same(const Chat& a, const Chat& b) {
  ASSERT_EQ(a.messages.size(), b.messages.size());
  for (std::size_t i = 0; i < a.messages.size(); ++i) {
    ASSERT_EQ(a.messages[i].role, b.messages[i].role);
    ASSERT_NO_FATAL_FAILURE(expect_same_parts(a.messages[i].parts, b.messages[i].parts));
  }
  ASSERT_EQ(a.tools.size(), b.tools.size());
  for (std::size_t i = 0; i < a.tools.size(); ++i) {
    ASSERT_EQ(a.tools[i].name, b.tools[i].name);
    ASSERT_EQ(a.tools[i].description, b.tools[i].description);
    ASSERT_EQ(a.tools[i].schema, b.tools[i].schema);
  }
  ASSERT_EQ(a.tool_choice.kind, b.tool_choice.kind);
  ASSERT_EQ(a.max_tokens, b.max_tokens);
  ASSERT_EQ(a.temperature, b.temperature);
  ASSERT_EQ(a.top_p, b.top_p);
  ASSERT_EQ(a.stop, b.stop);
}

// Turns of one side that follow each other become one.
Chat merged(const Chat& chat) {
  Chat one = chat;
  one.messages.clear();
  for (const auto& message : chat.messages) {
    if (!one.messages.empty() && one.messages.back().role == message.role &&
        message.role != Role::System) {
      auto& parts = one.messages.back().parts;
      parts.insert(parts.end(), message.parts.begin(), message.parts.end());
    } else {
      one.messages.push_back(message);
    }
  }
  return one;
}

TEST_F(ChatTest, WhatIsWrittenIsReadAgainTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kCases; ++i) {
    const Chat chat = sayable(random_chat(random));
    const std::string body = encode(chat);
    operation_ = operation(OperationKind::Chat, chat.stream ? kStream : kGenerate);
    const auto again = decode(body);
    ASSERT_TRUE(again) << again.error().message << body;
    ASSERT_EQ(again->stream, chat.stream);
    ASSERT_NO_FATAL_FAILURE(expect_same(*again, merged(chat))) << body;
    ASSERT_EQ(encode(*again), body);
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
    const auto stream = kDialect.encoder(settings);
    settings.stream = false;
    const auto body = kDialect.encoder(settings);
    std::string wire, json;
    for (const auto& event : events) {
      expected.event(event.view());
      stream->event(event.view(), wire);
      body->event(event.view(), json);
    }
    ReadingSink streamed;
    const auto decoder = kDialect.decoder(true);
    const auto fed = feed_in_pieces(*decoder, wire, streamed, random);
    ASSERT_TRUE(fed) << fed.error().message << wire;
    ASSERT_EQ(streamed.answer, expected.answer) << wire;
    const auto read = whole(json);
    ASSERT_TRUE(read) << read.error().message << json;
    ASSERT_EQ(*read, expected.answer) << json;
  }
}

TEST_F(ChatTest, ReadsEveryKindOfPart) {
  const auto chat = decode(R"({"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[
    {"parts":[{"text":"look"},{"inline_data":{"mime_type":"image/png","data":"QU_-"}},
      {"fileData":{"mimeType":"application/pdf","fileUri":"https://x.example/a.pdf"}}]},
    {"role":"model","parts":[{"text":"hm","thought":true},
      {"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},
      {"functionCall":{"name":"f","args":{"a":2}}},{"functionCall":{"id":"x","name":"g"}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"one"}}},
      {"functionResponse":{"name":"f","response":{"degrees":2}}},
      {"functionResponse":{"id":"x","name":"g","response":{"error":"no"}}},{"text":"go on"}]}],
    "tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT",
      "properties":{"type":{"type":"STRING","nullable":true}},"required":["type"],
      "propertyOrdering":["type"]}}]}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
    "safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],
    "generationConfig":{"maxOutputTokens":9,"temperature":0.5,"topP":0.25,"topK":4.0,"seed":7,
      "candidateCount":2,"stopSequences":["END"],"responseMimeType":"application/json",
      "responseSchema":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"2"},
      "thinkingConfig":{"includeThoughts":true,"thinkingBudget":0}}})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 5u);
  EXPECT_EQ(chat->messages[0].role, Role::System);
  EXPECT_EQ(chat->messages[0].parts[0].text, "Be brief.");
  EXPECT_EQ(chat->messages[1].parts[1].media.type, "image/png");
  EXPECT_EQ(chat->messages[1].parts[1].media.data, "QU/+") << "of the usual alphabet";
  EXPECT_EQ(chat->messages[1].parts[2].kind, Kind::Document);
  const auto& calls = chat->messages[2].parts;
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_EQ(calls[0].kind, Kind::Reasoning);
  EXPECT_EQ(calls[1].seal.dialect, "gemini");
  EXPECT_EQ(calls[1].arguments, R"({"a":1})");
  EXPECT_NE(calls[1].id, calls[2].id) << "each call has an id of its own";
  EXPECT_EQ(chat->messages[3].role, Role::Tool);
  const auto& results = chat->messages[3].parts;
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].id, calls[1].id) << "results of one name belong to the calls in order";
  EXPECT_EQ(results[1].id, calls[2].id);
  EXPECT_EQ(results[0].content[0].text, "one");
  EXPECT_EQ(results[1].content[0].text, R"({"degrees":2})");
  EXPECT_TRUE(results[2].failed);
  EXPECT_EQ(results[2].content[0].text, "no");
  EXPECT_EQ(chat->messages[4].parts[0].text, "go on");
  EXPECT_EQ(chat->tools[0].schema,
            R"({"type":"object","properties":{"type":{"type":["string","null"]}},)"
            R"("required":["type"]})");
  EXPECT_EQ(chat->tool_choice.name, "f");
  EXPECT_EQ(chat->format.schema, R"({"type":"array","items":{"type":"integer"},"minItems":2})");
  EXPECT_TRUE(chat->reasoning.off);
  EXPECT_TRUE(chat->reasoning.visible);
  EXPECT_EQ(chat->top_k, 4u);
  EXPECT_EQ(chat->choices, 2u);
  ASSERT_EQ(chat->others.size(), 1u);
  EXPECT_EQ(chat->others[0].field, "safetySettings");
  EXPECT_TRUE(chat->others[0].hint);
}

TEST_F(ChatTest, SchemasAreJsonSchemasWhateverStandsInThem) {
  EXPECT_EQ(json_schema(R"({"type":"STRING","minLength":"2","maxLength":"02","nullable":false,
                            "enum":["TYPE"],"description":"\"type\": \"OBJECT\""})"),
            R"({"type":"string","minLength":2,"maxLength":"02","enum":["TYPE"],)"
            R"("description":"\"type\": \"OBJECT\""})");
  EXPECT_EQ(json_schema(R"({"any_of":[{"type":"NUMBER"}],"additional_properties":{"type":"OBJECT",
                            "properties":{"any_of":{"type":"NULL"}}}})"),
            R"({"anyOf":[{"type":"number"}],"additionalProperties":{"type":"object",)"
            R"("properties":{"any_of":{"type":"null"}}}})");
}

TEST_F(ChatTest, ASingleElementIsAListOfOne) {
  const auto chat = decode(R"({"system_instruction":{"parts":{"text":"You are a cat."}},
    "contents":{"parts":{"text":"Hello there"}},
    "tools":{"functionDeclarations":{"name":"f"}}})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 2u);
  EXPECT_EQ(chat->messages[0].parts[0].text, "You are a cat.");
  EXPECT_EQ(chat->messages[1].parts[0].text, "Hello there");
  EXPECT_EQ(chat->tools[0].name, "f");
  Request request(index_);
  ASSERT_TRUE(request.insert(0, {Role::System, "before"}));
  ASSERT_TRUE(request.insert(1, {Role::User, "behind"}));
  EXPECT_EQ(request.joined().substr(0, request.joined().find(",\n    \"tools")),
            R"({"system_instruction":{"parts":[{"text":"before"},{"text":"You are a cat."}]},
    "contents":[{"parts":{"text":"Hello there"}},{"role":"user","parts":[{"text":"behind"}]}])");
}

TEST_F(ChatTest, NamesTheFieldThatNoOtherDialectHas) {
  const auto with = [&](const std::string& member) {
    return decode(R"({"contents":[{"parts":[{"text":"x"}]}],)" + member + "}");
  };
  for (const auto& [member, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("cachedContent":"cachedContents/1")", "cachedContent"},
           {R"("tools":[{"googleSearch":{"timeRangeFilter":{}}}])", "tools.googleSearch"},
           {R"("generationConfig":{"responseModalities":["IMAGE"]})",
            "generationConfig.responseModalities"},
           {R"("generationConfig":{"speechConfig":{"languageCode":"de"}})",
            "generationConfig.speechConfig"}}) {
    const auto chat = with(member);
    ASSERT_TRUE(chat) << member;
    ASSERT_EQ(chat->others.size(), 1u) << member;
    EXPECT_EQ(chat->others[0].field, field);
    EXPECT_FALSE(chat->others[0].hint);
  }
  const auto code = decode(R"({"contents":[{"parts":[{"executableCode":{"code":"1"}}]}]})");
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().param, "contents");
}

TEST_F(ChatTest, ResultsOfToolsBeginAContent) {
  const auto chat = decode(R"({"contents":[{"parts":[{"text":"a"}]},
    {"parts":[{"functionResponse":{"name":"f","response":{"output":"b"}}},{"text":"c"}]}]})");
  ASSERT_TRUE(chat) << chat.error().message;
  const auto again = decode(encode(*chat));
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_EQ(again->messages.size(), 3u);
  EXPECT_EQ(again->messages[0].parts[0].text, "a");
  EXPECT_EQ(again->messages[1].role, Role::Tool);
  EXPECT_EQ(again->messages[2].parts[0].text, "c");
}

TEST_F(ChatTest, SaysWhatGeminiCannot) {
  Chat chat;
  chat.messages.emplace_back().parts.emplace_back().text = "x";
  chat.parallel_tools = false;
  chat.logprobs = true;
  chat.user = "u";
  chat.others.push_back({"logit_bias", "{}", false});
  encode(chat);
  EXPECT_EQ(left_out_.fields,
            (std::vector<std::string>{"parallel_tool_calls", "logprobs", "logit_bias"}));
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"user"});
}

TEST_F(ChatTest, ThinksAsTheModelIsTold) {
  Chat chat;
  chat.messages.emplace_back().parts.emplace_back().text = "x";
  chat.reasoning.effort = "low";
  EXPECT_NE(encode(chat, "gemini-2.5-pro").find(R"("thinkingBudget":1024)"), std::string::npos);
  EXPECT_NE(encode(chat, "gemini-3-pro").find(R"("thinkingLevel":"LOW")"), std::string::npos);
  EXPECT_TRUE(left_out_.hints.empty());
  EXPECT_EQ(encode(chat, "gemini-2.0-flash").find("thinking"), std::string::npos);
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"reasoning"});
}

TEST_F(ChatTest, WhatCannotBeSwitchedOffIsNamed) {
  Chat chat;
  chat.messages.emplace_back().parts.emplace_back().text = "x";
  chat.reasoning.off = true;
  const auto says = [&](const char* model, std::string_view config) {
    left_out_ = {};
    return encode(chat, model).find(config) != std::string::npos;
  };
  EXPECT_TRUE(says("gemini-2.5-flash", R"({"thinkingBudget":0})"));
  EXPECT_TRUE(left_out_.hints.empty());
  for (const auto& [model, config] : {std::pair("gemini-2.5-pro", R"({"thinkingBudget":128})"),
                                      std::pair("gemini-3-flash", R"({"thinkingLevel":"MINIMAL"})"),
                                      std::pair("gemini-3-pro", R"({"thinkingLevel":"LOW"})")}) {
    EXPECT_TRUE(says(model, config)) << model;
    EXPECT_EQ(left_out_.hints, std::vector<std::string>{"reasoning"}) << model;
  }
  EXPECT_FALSE(says("gemini-2.0-flash", "thinking"));
  EXPECT_TRUE(left_out_.hints.empty()) << "it never thinks";
}

TEST_F(ChatTest, SignaturesOfOthersComeBackAsTheyWere) {
  const std::string signature = signature_of({"anthropic", "EqQB+/=\"x"});
  EXPECT_EQ(signature.find_first_of("+/\""), signature.npos) << "base64, as clients decode it";
  const Seal seal = seal_of(signature);
  EXPECT_EQ(seal.dialect, "anthropic");
  EXPECT_EQ(seal.value, "EqQB+/=\"x");
  EXPECT_EQ(seal_of("c2ln").dialect, "gemini");
  EXPECT_EQ(signature_of(seal_of("c2ln")), "c2ln");
}

TEST_F(ChatTest, APromptThatWasRefusedIsAFilteredAnswer) {
  const auto read = whole(R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},
    "usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"m"})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->stop, Stop::Filtered);
  EXPECT_EQ(read->input, 4u);
  EXPECT_TRUE(read->ended);
}

TEST_F(ChatTest, AnAnswerOfAnotherShapeIsNoEmptySuccess) {
  for (
      const std::string body :
      {R"({})", R"({"candidates":[]})", R"({"choices":[{"message":{"content":"x"}}]})", R"([])",
       "x", R"({"candidates":[{"content":{"parts":[{"text":"x"}]}}]})",
       R"({"candidates":[{"content":{"parts":[{"inlineData":{"data":""}}]},"finishReason":"STOP"}]})"}) {
    const auto read = whole(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::UpstreamBroken) << body;
  }
}

TEST_F(ChatTest, WhatIsBeyondAllBoundsIsBroken) {
  std::string calls = R"({"functionCall":{"name":"f"}})", many = calls;
  for (int i = 0; i < 1100; ++i) many += "," + calls;
  std::string candidates = R"({"finishReason":"STOP"})";
  for (int i = 0; i < 130; ++i) candidates += R"(,{"finishReason":"STOP"})";
  for (const std::string& body :
       {R"({"candidates":[{"content":{"parts":[)" + many + R"(]},"finishReason":"STOP"}]})",
        R"({"candidates":[)" + candidates + "]}"}) {
    const auto read = whole(body);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "unexpected_answer");
  }
}

TEST_F(ChatTest, AStreamThatIsCutIsNoAnswer) {
  ReadingSink sink;
  std::mt19937_64 random(4);
  const auto fed = feed_in_pieces(
      *kDialect.decoder(true),
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"index\":0}]}\r\n\r\n",
      sink, random);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "upstream_cut");
  EXPECT_EQ(sink.answer.text, "Hi");
}

TEST_F(ChatTest, StopReasonsAreNeverTakenForAnother) {
  const auto stop_after = [&](const std::string& reason) {
    const auto read =
        whole(R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":")" + reason +
              "\"}]}");
    return read ? read->stop : Stop::None;
  };
  EXPECT_EQ(stop_after("STOP"), Stop::Done);
  EXPECT_EQ(stop_after("MAX_TOKENS"), Stop::Length);
  for (const char* reason : {"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "RECITATION",
                             "LANGUAGE", "IMAGE_SAFETY"}) {
    EXPECT_EQ(stop_after(reason), Stop::Filtered) << reason;
  }
  for (const char* reason : {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"}) {
    EXPECT_EQ(stop_after(reason), Stop::Broken) << reason;
  }
  EXPECT_EQ(stop_after("FLOOD"), Stop::Unknown);
}

TEST_F(ChatTest, CallsOfAnAnswerHaveIdsThatStay) {
  const std::string body = R"({"candidates":[{"content":{"parts":[
    {"functionCall":{"name":"f","args":{"a":[1, 2]}},"thoughtSignature":"c2ln"},
    {"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}],"responseId":"r-1"})";
  const auto read = whole(body);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->stop, Stop::Tools);
  ASSERT_EQ(read->calls.size(), 2u);
  EXPECT_NE(read->calls[0].id, read->calls[1].id);
  EXPECT_EQ(read->calls[0].arguments, R"({"a":[1,2]})");
  EXPECT_EQ(*whole(body), *read) << "the same answer has the same ids";
  EXPECT_LE(made_id(std::string(200, 'x'), 12345).size(), 40u) << "OpenAI takes no longer ids";
}

TEST_F(ChatTest, ArgumentsOfSeveralLinesStayInOneEvent) {
  ChatEvent call, text, stop, end;
  call.kind = ChatEvent::Kind::ToolCall;
  call.lane.channel = text.lane.channel = Channel::ToolArguments;
  call.id = "c";
  call.name = "f";
  text.text = "{\n  \"a\": \"b\\n c\"\n}";
  stop.kind = ChatEvent::Kind::Stop;
  stop.stop = Stop::Tools;
  end.kind = ChatEvent::Kind::End;
  std::string out;
  EncoderSettings settings;
  settings.stream = true;
  const auto encoder = kDialect.encoder(settings);
  for (const auto* event : {&call, &text, &stop, &end}) encoder->event(*event, out);
  ReadingSink sink;
  std::mt19937_64 random(5);
  ASSERT_TRUE(feed_in_pieces(*kDialect.decoder(true), out, sink, random)) << out;
  EXPECT_EQ(sink.answer.calls[0].arguments, R"({"a":"b\n c"})");
}

TEST_F(ChatTest, ArgumentsThatAreNoObjectAreNotInvented) {
  ChatEvent call, text, stop, end;
  call.kind = ChatEvent::Kind::ToolCall;
  call.lane.channel = text.lane.channel = Channel::ToolArguments;
  call.name = "f";
  text.text = R"({"a":)";
  stop.kind = ChatEvent::Kind::Stop;
  stop.stop = Stop::Tools;
  end.kind = ChatEvent::Kind::End;
  std::string out;
  const auto encoder = kDialect.encoder({});
  for (const auto* event : {&call, &text, &stop, &end}) encoder->event(*event, out);
  EXPECT_NE(out.find("MALFORMED_FUNCTION_CALL"), out.npos) << out;
  EXPECT_EQ(out.find("functionCall\""), out.npos) << out;
}

}  // namespace
}  // namespace causeway::gemini
