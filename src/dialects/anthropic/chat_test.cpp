// Anthropic's side of the translation: what it reads it writes again, as requests and as answers.
#include <gtest/gtest.h>

#include "core/testing/random_chat.h"
#include "dialects/anthropic/dialect.h"

namespace causeway::anthropic {
namespace {

using causeway::testing::feed_in_pieces, causeway::testing::random_answer,
    causeway::testing::random_chat, causeway::testing::ReadAnswer, causeway::testing::ReadingSink;
using Kind = ChatPart::Kind;

constexpr int kCases = 10'000;

/// A body with what readers want behind it.
struct Padded {
  explicit Padded(std::string text) : size(text.size()), bytes(std::move(text)) {
    bytes.append(64, '\0');
  }
  std::string_view view() const { return {bytes.data(), size}; }
  std::size_t size;
  std::string bytes;
};

Result<Chat> decode(const Dialect& dialect, const std::string& body) {
  const Padded padded(body);
  RequestIndex index;
  if (auto read = dialect.read({}, {}, padded.view(), index); !read) {
    return std::unexpected(read.error());
  }
  return dialect.decode({}, Request(index));
}

std::string encode(const Dialect& dialect, const Chat& chat, LeftOut* left_out = nullptr,
                   std::string model = "claude-sonnet-4-5") {
  LeftOut ignored;
  auto body = dialect.encode(chat, model, left_out ? *left_out : ignored);
  EXPECT_TRUE(body) << body.error().message;
  return body ? *body : "";
}

Usage some_usage() {
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 5;
  usage.output_visible = 7;
  usage.reasoning = 3;
  return usage;
}

class ChatTest : public ::testing::Test {
 protected:
  ReadAnswer whole(const Dialect& dialect, const std::string& body) {
    ReadingSink sink;
    const Padded padded(body);
    const auto read = dialect.decoder(false)->whole(padded.view(), sink);
    EXPECT_TRUE(read) << read.error().message << body;
    return sink.answer;
  }
  ReadAnswer streamed(const Dialect& dialect, const std::string& wire, std::mt19937_64& random) {
    ReadingSink sink;
    const auto fed = feed_in_pieces(*dialect.decoder(true), wire, sink, random);
    EXPECT_TRUE(fed) << fed.error().message << wire;
    return sink.answer;
  }

  AnthropicDialect dialect_;
};

TEST_F(ChatTest, WhatIsWrittenIsReadAgainTheSame) {
  std::mt19937_64 random(1);
  int read = 0;
  for (int i = 0; i < kCases; ++i) {
    const Chat chat = random_chat(random);
    LeftOut left_out;
    const auto body = dialect_.encode(chat, chat.model, left_out);
    if (!body) {
      ASSERT_EQ(body.error().param, "messages") << "nothing was said that has a letter in it";
      continue;
    }
    const auto again = decode(dialect_, *body);
    ASSERT_TRUE(again) << again.error().message << *body;
    ASSERT_EQ(encode(dialect_, *again, nullptr, chat.model), *body);
    ++read;
  }
  EXPECT_GT(read, kCases * 9 / 10);
}

TEST_F(ChatTest, AnswersSurviveBeingCutAnywhere) {
  std::mt19937_64 random(2);
  const Usage usage = some_usage();
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
    ASSERT_EQ(streamed(dialect_, wire, random), expected.answer) << wire;
    ASSERT_EQ(whole(dialect_, json), expected.answer) << json;
  }
}

TEST_F(ChatTest, ReadsEveryKindOfBlock) {
  const auto chat = decode(dialect_, R"({"model":"m","max_tokens":100,"system":"Be brief.",
    "messages":[{"role":"user","content":[{"type":"text","text":"look","cache_control":{"type":"ephemeral"}},
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},
      {"type":"image","source":{"type":"url","url":"https://x.example/a.png"}},
      {"type":"document","title":"a.pdf","citations":{"enabled":true},
       "source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}},
      {"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}}]},
     {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig=="},
      {"type":"redacted_thinking","data":"enc=="},{"type":"text","text":"ok"},
      {"type":"tool_use","id":"t1","name":"f","input":{"a":[1,2]}}]},
     {"role":"user","content":[{"type":"text","text":"and"},
      {"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"no"}]}]}],
    "tools":[{"name":"f","input_schema":{"type":"object"},"strict":true}],
    "tool_choice":{"type":"any","disable_parallel_tool_use":true},"thinking":{"type":"enabled","budget_tokens":2000},
    "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}},
    "stop_sequences":["END"],"metadata":{"user_id":"u1"},"top_k":5,"service_tier":"auto","mcp_servers":[{"url":"x"}]})");
  ASSERT_TRUE(chat) << chat.error().message;
  ASSERT_EQ(chat->messages.size(), 5u) << "results become a message in front of the user's";
  EXPECT_EQ(chat->messages[0].role, Role::System);
  const auto& parts = chat->messages[1].parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].cache, R"({"type":"ephemeral"})");
  EXPECT_EQ(parts[1].media.data, "QUJD");
  EXPECT_EQ(parts[2].media.url, "https://x.example/a.png");
  EXPECT_EQ(parts[3].media.type, "application/pdf");
  EXPECT_TRUE(parts[3].cites);
  EXPECT_EQ(parts[4].text, "words");
  const auto& said = chat->messages[2].parts;
  EXPECT_EQ(said[0].seal.value, "sig==");
  EXPECT_EQ(said[0].seal.dialect, "anthropic");
  EXPECT_TRUE(said[1].hidden);
  EXPECT_EQ(said[3].arguments, R"({"a":[1,2]})");
  EXPECT_EQ(chat->messages[3].role, Role::Tool);
  EXPECT_TRUE(chat->messages[3].parts[0].failed);
  EXPECT_EQ(chat->messages[3].parts[0].name, "f");
  EXPECT_EQ(chat->messages[4].parts[0].text, "and");
  EXPECT_EQ(chat->tool_choice.kind, ToolChoice::Kind::Required);
  EXPECT_EQ(chat->parallel_tools, false);
  EXPECT_EQ(chat->reasoning.budget, 2000);
  EXPECT_EQ(chat->reasoning.effort, "low");
  EXPECT_EQ(chat->format.kind, ResponseFormat::Kind::JsonSchema);
  EXPECT_EQ(chat->user, "u1");
  ASSERT_EQ(chat->others.size(), 2u);
  EXPECT_TRUE(chat->others[0].hint);
  EXPECT_EQ(chat->others[1].field, "mcp_servers");
  EXPECT_FALSE(chat->others[1].hint);

  // And writes it again: signatures and cache marks unchanged.
  const std::string again = encode(dialect_, *chat);
  for (
      const char* piece :
      {R"({"type":"thinking","thinking":"hm","signature":"sig=="})",
       R"({"type":"redacted_thinking","data":"enc=="})",
       R"("text":"look","cache_control":{"type":"ephemeral"})",
       R"("source":{"type":"url","url":"https://x.example/a.png"})",
       R"("source":{"type":"base64","media_type":"application/pdf","data":"QUJD"},"title":"a.pdf","citations":{"enabled":true})",
       R"("tool_choice":{"type":"any","disable_parallel_tool_use":true})", R"("is_error":true)"}) {
    EXPECT_NE(again.find(piece), again.npos) << piece << "\n" << again;
  }
}

TEST_F(ChatTest, NamesWhatNoOtherDialectHas) {
  for (const auto& [member, field] : std::vector<std::pair<std::string, std::string>>{
           {R"("tools":[{"type":"web_search_20250305","name":"web_search"}])", "tools"},
           {R"("tool_choice":{"type":"odd"})", "tool_choice"}}) {
    const auto chat = decode(
        dialect_, R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],)" +
                      member + "}");
    ASSERT_FALSE(chat) << member;
    EXPECT_EQ(chat.error().param, field);
  }
  const auto block = decode(dialect_, R"({"model":"m","max_tokens":1,"messages":[{"role":"user",
      "content":[{"type":"container_upload","file_id":"f"}]}]})");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().param, "messages.0.content");
}

Chat asking(std::string effort) {
  Chat chat;
  ChatMessage message;
  message.parts.emplace_back().text = "x";
  chat.messages.push_back(message);
  chat.reasoning.effort = std::move(effort);
  return chat;
}

TEST_F(ChatTest, ThinkingIsAskedForAsTheModelWantsIt) {
  const auto has = [&](const Chat& chat, const char* model, const char* piece) {
    const std::string body = encode(dialect_, chat, nullptr, model);
    return body.find(piece) != body.npos;
  };
  Chat low = asking("low");
  EXPECT_TRUE(
      has(low, "claude-haiku-4-5", R"("thinking":{"type":"enabled","budget_tokens":2048})"));
  EXPECT_TRUE(has(low, "claude-haiku-4-5", R"("max_tokens":18432)"));
  EXPECT_TRUE(has(low, "claude-opus-4-7", R"("output_config":{"effort":"low"})"));
  EXPECT_TRUE(has(low, "claude-sonnet-5-5", R"("thinking":{"type":"adaptive"})"));
  EXPECT_FALSE(has(low, "claude-3-opus-20240229", "thinking"));
  EXPECT_TRUE(has(asking("xhigh"), "claude-opus-4-6", R"("effort":"max")"));
  // A budget that fits beneath the limit is the application's; one that does not leaves half.
  Chat given = asking("");
  given.reasoning.budget = 1500;
  given.max_tokens = 2000;
  EXPECT_TRUE(has(given, "claude-haiku-4-5", R"("budget_tokens":1500)"));
  given.reasoning.budget = 9000;
  given.max_tokens = 6000;
  EXPECT_TRUE(has(given, "claude-haiku-4-5", R"("budget_tokens":3000)"));
  low.max_tokens = 3000;
  EXPECT_TRUE(has(low, "claude-haiku-4-5", R"("budget_tokens":1500)"));
  Chat off = asking("none");
  off.reasoning.off = true;
  EXPECT_FALSE(has(off, "claude-sonnet-4-5", "thinking"));
  EXPECT_TRUE(has(off, "claude-opus-5", R"("thinking":{"type":"disabled"})"));
  EXPECT_TRUE(has(off, "claude-opus-5-5", R"("output_config":{"effort":"low"})"));
  low.max_tokens = 1000;
  LeftOut left_out;
  encode(dialect_, low, &left_out, "claude-haiku-4-5");
  EXPECT_EQ(left_out.hints, std::vector<std::string>{"reasoning"}) << "no room to think";
}

TEST_F(ChatTest, SaysWhatItLeavesOut) {
  Chat chat = asking("");
  chat.temperature = 1.7;
  chat.top_p = 0.5;
  chat.seed = 3;
  chat.choices = 2;
  chat.presence_penalty = 0.5;
  LeftOut left_out;
  const std::string old = encode(dialect_, chat, &left_out, "claude-sonnet-4-5");
  EXPECT_NE(old.find(R"("temperature":1)"), old.npos) << old;
  EXPECT_EQ(left_out.fields, (std::vector<std::string>{"presence_penalty", "n"}));
  EXPECT_EQ(left_out.hints, (std::vector<std::string>{"top_p", "seed"}));
  LeftOut newer;
  EXPECT_EQ(encode(dialect_, chat, &newer, "claude-opus-4-8").find("temperature"),
            std::string::npos);
  EXPECT_EQ(newer.hints, (std::vector<std::string>{"temperature", "top_p", "seed"}));
}

/// Events of a stream that is written, by their names.
std::vector<std::string> names_in(std::string_view wire) {
  std::vector<std::string> names;
  for (std::size_t at = wire.find("event: "); at != wire.npos; at = wire.find("event: ", at + 1)) {
    names.emplace_back(wire.substr(at + 7, wire.find('\n', at) - at - 7));
  }
  return names;
}

TEST_F(ChatTest, MixedCallsBecomeBlocksOneAfterAnother) {
  EncoderSettings settings;
  settings.stream = true;
  const auto encoder = dialect_.encoder(settings);
  std::string wire;
  const auto call = [&](std::uint16_t item, const char* name) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::ToolCall;
    event.lane = {0, item, Channel::ToolArguments};
    event.id = event.name = name;
    encoder->event(event, wire);
  };
  const auto piece = [&](std::uint16_t item, const char* text) {
    ChatEvent event;
    event.lane = {0, item, Channel::ToolArguments};
    event.text = text;
    encoder->event(event, wire);
  };
  call(0, "a");
  piece(0, "{\"x\":");
  call(1, "b");
  piece(1, "{\"y\":\"}\"");
  piece(0, "1}");
  piece(1, "}");
  call(2, "c");
  piece(2, "{}");
  ChatEvent event;
  event.kind = ChatEvent::Kind::Stop;
  event.stop = Stop::Tools;
  encoder->event(event, wire);
  event = {};
  event.kind = ChatEvent::Kind::End;
  encoder->event(event, wire);
  std::mt19937_64 random(4);
  const ReadAnswer answer = streamed(dialect_, wire, random);
  ASSERT_EQ(answer.calls.size(), 3u) << wire;
  EXPECT_EQ(answer.calls[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.calls[1].arguments, R"({"y":"}"})");
  EXPECT_EQ(answer.calls[2].arguments, "{}");
  int open = 0;
  for (const auto& name : names_in(wire)) {
    if (name == "content_block_start") ++open;
    if (name == "content_block_stop") --open;
    ASSERT_TRUE(open == 0 || open == 1) << wire;
  }
}

TEST_F(ChatTest, UnknownStopReasonsStayVisible) {
  for (const auto& [word, stop] :
       std::vector<std::pair<std::string, Stop>>{{"pause_turn", Stop::Pause},
                                                 {"flood", Stop::Unknown},
                                                 {"refusal", Stop::Filtered},
                                                 {"model_context_window_exceeded", Stop::Length},
                                                 {"stop_sequence", Stop::Done}}) {
    const std::string body = R"({"type":"message","content":[],"stop_reason":")" + word + "\"}";
    EXPECT_EQ(whole(dialect_, body).stop, stop) << word;
    if (stop != Stop::Pause && stop != Stop::Unknown) continue;
    std::string out;
    const auto encoder = dialect_.encoder({});
    ChatEvent event;
    event.kind = ChatEvent::Kind::Stop;
    event.stop = stop;
    event.raw = word;
    encoder->event(event, out);
    event.kind = ChatEvent::Kind::End;
    encoder->event(event, out);
    EXPECT_NE(out.find(R"("stop_reason":")" + word + "\""), out.npos) << out;
  }
}

// Events damaged in a few bytes end in an error or in what is left of them, for both readers.
TEST_F(ChatTest, DamagedEventsDoNoHarm) {
  const std::string event =
      "event: content_block_delta\ndata: {\"index\":0 ,\"delta\":{\"type\":\"text_delta\",\"text\":"
      "\"a\\n\"},\"type\":\"content_block_delta\"}\n\n";
  std::mt19937_64 random(7);
  std::string wire = event;
  wire[wire.find(",\"delta\"")] = ' ';  // a member that nothing parts from the one before
  for (int i = 0; i < kCases; ++i) {
    const Padded padded(wire);
    ReadingSink sink;
    (void)dialect_.decoder(true)->feed(padded.view(), sink);
    const auto reader = dialect_.reader({});
    reader->feed(padded.view());
    Frame frame;
    bool more = true;
    while (more) more = reader->next(frame).value_or(false);
    wire = event;
    for (int damage = 0; damage < 2; ++damage)
      wire[random() % wire.size()] = "{}[]\",:\\ 0n"[random() % 11];
  }
}

TEST_F(ChatTest, ABrokenAnswerIsNoEmptySuccess) {
  for (const std::string body : {"{}", R"({"type":"message"})", R"({"choices":[]})", "[]", "x"}) {
    ReadingSink sink;
    const Padded padded(body);
    const auto read = dialect_.decoder(false)->whole(padded.view(), sink);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::UpstreamBroken) << body;
    EXPECT_FALSE(sink.answer.ended);
  }
  std::mt19937_64 random(6);
  ReadingSink sink;
  const auto cut = feed_in_pieces(
      *dialect_.decoder(true),
      "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\ndata: {\"type\":"
      "\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}"
      "\n\n",
      sink, random);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, "upstream_cut");
  EXPECT_EQ(sink.answer.text, "Hi");
  const auto far = feed_in_pieces(
      *dialect_.decoder(true),
      "data: {\"type\":\"content_block_start\",\"index\":70000,\"content_block\":{\"type\":"
      "\"text\"}}\n\n",
      sink, random);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().kind, ErrorKind::UpstreamBroken);
  const auto inside = feed_in_pieces(
      *dialect_.decoder(true),
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
      sink, random);
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().kind, ErrorKind::Overloaded);
}

}  // namespace
}  // namespace causeway::anthropic
