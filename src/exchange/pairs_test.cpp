// Every dialect that applications speak with every dialect that targets speak, as translate.cpp
// joins them: whatever is said in words that both have comes through and back.
#include <gtest/gtest.h>
#include <simdjson.h>

#include "core/testing/random_chat.h"
#include "dialects/anthropic/dialect.h"
#include "dialects/converse/dialect.h"
#include "dialects/converse/testing/answer.h"
#include "dialects/gemini/dialect.h"
#include "dialects/openai/responses.h"
#include "dialects/openai/testing/responses_request.h"
#include "platform/text/json_writer.h"

namespace causeway::exchange {
namespace {

using namespace causeway::testing;

#ifndef CAUSEWAY_SANITIZED
constexpr int kCases = 10'000;
#else
constexpr int kCases = 2000;  // ten times slower, and what they look for comes early
#endif
// Takes temperature and top_p together, which its successors refuse.
constexpr std::string_view kModel = "claude-3-haiku";

const openai::OpenAiDialect kOpenAi;
const openai::ResponsesDialect kResponses;
const anthropic::AnthropicDialect kAnthropic;
const gemini::GeminiDialect kGemini;
const converse::ConverseDialect kConverse;

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

/// Who said what, which calls were made with what result, and what was asked of the model. Blank
/// texts are refused by some providers and so left out; what one side says in a row is one.
class Told {
 public:
  void say(char who, std::string_view text) {
    if (blank(text)) return;
    if (who != last_) (all_ += '\n') += who;
    last_ = who;
    all_ += text;
  }
  void call(std::string_view id, std::string_view name, std::string_view arguments) {
    say('C', "(" + std::string(id) + "," + std::string(name) + "," + std::string(arguments) + ")");
  }
  void result(std::string_view id, const std::vector<std::string_view>& texts) {
    std::string all = "(" + std::string(id);
    for (const auto text : texts) {
      if (!blank(text)) (all += ",") += text;
    }
    say('R', all + ")");
  }
  void tool(std::string_view name, std::string_view description, std::string_view schema) {
    say('T', name);
    say('D', description);
    say('P', schema);
  }
  std::string text() const { return all_; }

 private:
  std::string all_;
  char last_ = 0;
};

std::string told(const Chat& chat) {
  using Kind = ChatPart::Kind;
  Told told;
  for (const auto& message : chat.messages) {
    const bool system = message.role == Role::System || message.role == Role::Developer;
    for (const auto& part : message.parts) {
      if (part.kind == Kind::ToolCall) {
        told.call(part.id, part.name, part.arguments);
      } else if (part.kind == Kind::ToolResult) {
        std::vector<std::string_view> texts;
        for (const auto& content : part.content) texts.emplace_back(content.text);
        told.result(part.id, texts);
      } else {
        told.say(system ? 'S' : message.role == Role::Assistant ? 'A' : 'U', part.text);
      }
    }
  }
  for (const auto& tool : chat.tools) told.tool(tool.name, tool.description, tool.schema);
  for (const auto& stop : chat.stop) told.say('E', stop);
  return told.text();
}

/// The same of a request of Converse, which no application speaks and nothing of ours reads.
std::string told_by_converse(const std::string& body) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(simdjson::padded_string(body));
  Told told;
  simdjson::dom::element inner;
  simdjson::dom::array list;
  const auto text = [](simdjson::dom::element in, const char* key) {
    return std::string_view(in[key].get_string());
  };
  if (!root["system"].get(list)) {
    for (const auto block : list) told.say('S', text(block, "text"));
  }
  for (const auto message : root["messages"].get_array()) {
    const char who = text(message, "role") == "assistant" ? 'A' : 'U';
    for (const auto block : message["content"].get_array()) {
      if (!block["toolUse"].get(inner)) {
        told.call(text(inner, "toolUseId"), text(inner, "name"),
                  simdjson::minify(inner["input"].value()));
      } else if (!block["toolResult"].get(inner)) {
        std::vector<std::string_view> texts;
        for (const auto content : inner["content"].get_array()) {
          texts.push_back(text(content, "text"));
        }
        told.result(text(inner, "toolUseId"), texts);
      } else {
        told.say(who, text(block, "text"));
      }
    }
  }
  if (!root["toolConfig"]["tools"].get(list)) {
    for (const auto tool : list) {
      std::string_view description;
      inner = tool["toolSpec"];
      if (inner["description"].get(description)) description = "";
      told.tool(text(inner, "name"), description,
                simdjson::minify(inner["inputSchema"]["json"].value()));
    }
  }
  if (!root["inferenceConfig"]["stopSequences"].get(list)) {
    for (const auto stop : list) told.say('E', std::string_view(stop.get_string()));
  }
  return told.text();
}

Operation operation_of(const Dialect& dialect, bool stream) {
  Operation operation;
  operation.dialect = &dialect;
  if (&dialect == &kGemini) {
    operation.path = "/v1beta/models/*";
    operation.path += stream ? gemini::kStream : gemini::kGenerate;
  }
  return operation;
}

Result<Chat> read(const Dialect& dialect, const std::string& body, bool stream) {
  const std::string padded = body + std::string(64, '\0');
  const Operation operation = operation_of(dialect, stream);
  RequestIndex index;
  auto done = dialect.read(operation, "m", std::string_view(padded).substr(0, body.size()), index);
  if (!done) return std::unexpected(done.error());
  return dialect.decode(operation, Request(index));
}

Result<std::string> written(const Dialect& dialect, const Chat& chat) {
  if (&dialect == &kResponses) return openai::responses_request(chat);
  LeftOut left_out;
  return dialect.encode(chat, kModel, left_out);
}

std::string name_of(const Dialect& dialect) {
  std::string name(dialect.name());
  std::erase(name, '-');
  return name;
}

using Pair = std::tuple<const Dialect*, const Dialect*>;

class Pairs : public ::testing::TestWithParam<Pair> {
 protected:
  const Dialect& application_ = *std::get<0>(GetParam());
  const Dialect& target_ = *std::get<1>(GetParam());
};

TEST_P(Pairs, ConversationsComeThroughAndBack) {
  std::mt19937_64 random(1);
  int compared = 0;
  for (int i = 0; i < kCases; ++i) {
    Chat chat = random_chat(random);
    if (chat.tools.empty()) chat.tool_choice = {};
    // It cannot forbid tools, and gets none instead.
    if (&target_ == &kConverse) chat.tool_choice = {};
    // Anthropic's API wants a limit: without one a request gets one.
    if (!chat.max_tokens) chat.max_tokens = 100;
    if (&application_ == &kResponses) chat.stop.clear();  // it has no such field
    const auto asked = written(application_, chat);
    if (!asked) continue;  // nothing was said but blanks
    ++compared;
    const auto here = read(application_, *asked, chat.stream);
    ASSERT_TRUE(here) << here.error().message << *asked;
    ASSERT_EQ(told(*here), told(chat)) << *asked;
    const auto sent = written(target_, *here);
    if (!sent) {  // the target's API refuses a conversation of blanks
      --compared;
      continue;
    }
    if (&target_ == &kConverse) {
      ASSERT_EQ(told_by_converse(*sent), told(chat)) << *sent;
      continue;
    }
    const auto there = read(target_, *sent, chat.stream);
    ASSERT_TRUE(there) << there.error().message << *sent;
    ASSERT_EQ(told(*there), told(chat)) << *sent;
    ASSERT_EQ(there->max_tokens, chat.max_tokens) << *sent;
    ASSERT_EQ(there->temperature, chat.temperature) << *sent;
    ASSERT_EQ(there->top_p, chat.top_p) << *sent;
    ASSERT_EQ(there->tool_choice.kind, chat.tool_choice.kind) << *sent;
    ASSERT_EQ(there->stream, chat.stream) << *sent;
    const auto back = written(application_, *there);
    ASSERT_TRUE(back) << back.error().message << *sent;
    const auto again = read(application_, *back, chat.stream);
    ASSERT_TRUE(again) << again.error().message << *back;
    ASSERT_EQ(told(*again), told(chat)) << *back;
  }
  EXPECT_GT(compared, kCases * 9 / 10);
}

/// Events into an encoder.
class Into final : public ChatSink {
 public:
  Into(const Dialect& dialect, bool stream, const Request& request) {
    EncoderSettings settings;
    settings.stream = stream;
    settings.request = &request;
    encoder_ = dialect.encoder(settings);
  }
  void event(const ChatEvent& event) override { encoder_->event(event, wire); }
  std::string wire;

 private:
  std::unique_ptr<EventEncoder> encoder_;
};

Result<void> decode(const Dialect& dialect, const std::string& wire, bool stream, ChatSink& sink,
                    std::mt19937_64& random) {
  const auto decoder = dialect.decoder(stream);
  if (stream) return feed_in_pieces(*decoder, wire, sink, random);
  const std::string padded = wire + std::string(64, '\0');
  return decoder->whole(std::string_view(padded).substr(0, wire.size()), sink);
}

TEST_P(Pairs, AnswersCutAnywhereComeThroughAndBack) {
  std::mt19937_64 random(2);
  const std::string body = R"({"model":"m","input":"hi"})" + std::string(64, '\0');
  RequestIndex index;
  ASSERT_TRUE(kResponses.read({}, {}, std::string_view(body).substr(0, body.size() - 64), index));
  const Request request(index);
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 5;
  usage.output_visible = 7;
  usage.reasoning = 3;
  for (int i = 0; i < kCases; ++i) {
    const bool stream = i % 4 != 0;
    ReadingSink expected;
    std::string theirs;
    {
      const auto events = random_answer(random, usage);
      for (const auto& event : events) expected.event(event.view());
      if (&target_ == &kConverse) {
        theirs = stream ? converse::StreamWriter().run(expected.answer)
                        : converse::whole_body(expected.answer);
      } else {
        Into writer(target_, stream, request);
        for (const auto& event : events) writer.event(event.view());
        theirs = std::move(writer.wire);
      }
    }
    Into ours(application_, stream, request);
    const auto decoded = decode(target_, theirs, stream, ours, random);
    ASSERT_TRUE(decoded) << decoded.error().message << theirs;
    if (&application_ == &kResponses) {
      const auto read = read_frames(*kResponses.reader({}), ours.wire, !stream);
      ASSERT_TRUE(read) << read.error().message << ours.wire;
      for (auto& call : expected.answer.calls) call.id = call.name = "";
      ASSERT_EQ(*read, expected.answer) << theirs << "\n" << ours.wire;
      continue;
    }
    ReadingSink seen;
    ASSERT_TRUE(decode(application_, ours.wire, stream, seen, random)) << ours.wire;
    ASSERT_EQ(seen.answer, expected.answer) << theirs << "\n" << ours.wire;
    if (&target_ == &kConverse) continue;
    Into back(target_, stream, request);
    ASSERT_TRUE(decode(application_, ours.wire, stream, back, random)) << ours.wire;
    ReadingSink again;
    ASSERT_TRUE(decode(target_, back.wire, stream, again, random)) << back.wire;
    ASSERT_EQ(again.answer, expected.answer) << ours.wire << "\n" << back.wire;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Pairs,
    ::testing::Combine(::testing::Values(&kOpenAi, &kResponses, &kAnthropic, &kGemini),
                       ::testing::Values(&kOpenAi, &kAnthropic, &kGemini, &kConverse)),
    [](const auto& pair) {
      return name_of(*std::get<0>(pair.param)) + "_to_" + name_of(*std::get<1>(pair.param));
    });

}  // namespace
}  // namespace causeway::exchange
