// OpenAI's and Gemini's dialects together, as translate.cpp joins them: whatever one of them says
// in words that both have comes through the other and back.
#include <gtest/gtest.h>

#include "core/testing/random_chat.h"
#include "dialects/gemini/dialect.h"
#include "dialects/openai/dialect.h"

namespace causeway {
namespace {

using namespace causeway::testing;

constexpr int kCases = 10'000;

const openai::OpenAiDialect kOpenAi;
const gemini::GeminiDialect kGemini;

// What Gemini cannot say: a choice of tools where there are none.
Chat sayable(Chat chat) {
  if (chat.tools.empty()) chat.tool_choice = {};
  return chat;
}

Chat reread(const Dialect& dialect, const Operation& operation, const std::string& body) {
  RequestIndex index;
  const std::string padded = body + std::string(64, '\0');
  const auto read =
      dialect.read(operation, "m", std::string_view(padded).substr(0, body.size()), index);
  EXPECT_TRUE(read) << read.error().message << body;
  auto chat = dialect.decode(operation, Request(index));
  EXPECT_TRUE(chat) << chat.error().message << body;
  return chat ? *chat : Chat{};
}

std::string written(const Dialect& dialect, const Chat& chat) {
  LeftOut left_out;
  const auto body = dialect.encode(chat, "m", left_out);
  EXPECT_TRUE(body) << body.error().message;
  EXPECT_TRUE(left_out.fields.empty()) << left_out.fields.front();
  return body ? *body : "";
}

// Everything is compared as an OpenAI request: same messages, calls with their ids, tools, numbers.
TEST(GeminiAndOpenAi, ConversationsGoFromOpenAiToGeminiAndBack) {
  std::mt19937_64 random(1);
  Operation completions, generate, stream;
  generate.path = "/v1beta/models/*" + std::string(gemini::kGenerate);
  stream.path = "/v1beta/models/*" + std::string(gemini::kStream);
  for (int i = 0; i < kCases; ++i) {
    const std::string asked = written(kOpenAi, sayable(random_chat(random)));
    const Chat chat = reread(kOpenAi, completions, asked);
    const std::string google = written(kGemini, chat);
    const Chat again = reread(kGemini, chat.stream ? stream : generate, google);
    ASSERT_EQ(written(kOpenAi, again), asked) << google;
  }
}

class Into final : public ChatSink {
 public:
  explicit Into(const Dialect& dialect) : encoder_(dialect.encoder(settings())) {}
  void event(const ChatEvent& event) override { encoder_->event(event, wire); }
  std::string wire;

 private:
  static EncoderSettings settings() {
    EncoderSettings settings;
    settings.stream = true;
    return settings;
  }
  std::unique_ptr<EventEncoder> encoder_;
};

void stream_through(const Dialect& from, const Dialect& to, unsigned seed) {
  std::mt19937_64 random(seed);
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = 10;
  usage.cache_read = 4;
  usage.output_visible = 7;
  usage.reasoning = 2;
  for (int i = 0; i < kCases; ++i) {
    ReadingSink expected, seen;
    Into first(from), second(to);
    for (const auto& event : random_answer(random, usage)) {
      expected.event(event.view());
      first.event(event.view());
    }
    ASSERT_TRUE(feed_in_pieces(*from.decoder(true), first.wire, second, random)) << first.wire;
    ASSERT_TRUE(feed_in_pieces(*to.decoder(true), second.wire, seen, random)) << second.wire;
    ASSERT_EQ(seen.answer, expected.answer) << first.wire << second.wire;
  }
}

TEST(GeminiAndOpenAi, StreamsOfGeminiCutAnywhereComeThroughToOpenAi) {
  stream_through(kGemini, kOpenAi, 2);
}

TEST(GeminiAndOpenAi, StreamsOfOpenAiCutAnywhereComeThroughToGemini) {
  stream_through(kOpenAi, kGemini, 3);
}

// Little-endian 32-bit floats in base64, as OpenAI's clients ask for them by default.
TEST(GeminiAndOpenAi, EmbeddingsOfGeminiAreOpenAisInBothForms) {
  const std::string body = R"({"embeddings":[{"values":[1.0,-0.5]},{"values":[0.25,2]}]})";
  const std::string padded = body + std::string(64, '\0');
  const auto answer = kGemini.decode_vectors(std::string_view(padded).substr(0, body.size()));
  ASSERT_TRUE(answer) << answer.error().message;
  RequestIndex index;
  const Request request(index);
  EncoderSettings settings;
  settings.model = "e";
  settings.request = &request;
  EXPECT_EQ(kOpenAi.encode_vectors({}, settings, *answer),
            R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]},)"
            R"({"object":"embedding","index":1,"embedding":[0.25,2]}],"model":"e"})");
  index.base64_embeddings = true;
  const std::string encoded = kOpenAi.encode_vectors({}, settings, *answer);
  EXPECT_NE(encoded.find(R"("embedding":"AACAPwAAAL8=")"), encoded.npos) << encoded;
}

}  // namespace
}  // namespace causeway
