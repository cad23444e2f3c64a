// Two real dialects with the translation between them: what is said in one arrives in the other and
// comes back, as requests and as answers.
#include <gtest/gtest.h>

#include "core/stage.h"
#include "core/testing/random_chat.h"
#include "dialects/anthropic/dialect.h"
#include "dialects/openai/dialect.h"
#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using causeway::testing::feed_in_pieces;
using Kind = ChatPart::Kind;

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

class DialectsTest : public ::testing::Test {
 protected:
  anthropic::AnthropicDialect anthropic_;
  openai::OpenAiDialect openai_;
};

/// Decoded events straight into an encoder.
class Into final : public ChatSink {
 public:
  explicit Into(EventEncoder& encoder) : encoder_(encoder) {}
  void event(const ChatEvent& event) override { encoder_.event(event, out); }
  std::string out;

 private:
  EventEncoder& encoder_;
};

TEST_F(DialectsTest, MessagesOfOneSideAreOne) {
  const auto chat = decode(openai_, R"({"model":"m","messages":[{"role":"system","content":"a"},
    {"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[
     {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
     {"id":"c2","type":"function","function":{"name":"f","arguments":"not json"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"},
    {"role":"user","content":"go on"},{"role":"system","content":"b"}]})");
  ASSERT_TRUE(chat);
  EXPECT_EQ(
      encode(anthropic_, *chat),
      R"({"model":"claude-sonnet-4-5","max_tokens":16384,"system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],)"
      R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"tool_use","id":"c1","name":"f","input":{"a":1}},)"
      R"({"type":"tool_use","id":"c2","name":"f","input":{"INVALID_JSON":"not json"}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"one"},)"
      R"({"type":"tool_result","tool_use_id":"c2","content":"two"},{"type":"text","text":"go on"}]}]})");
}

TEST_F(DialectsTest, SignaturesComeThroughUnchanged) {
  const std::string start = R"(data: {"type":"message_start","message":{"id":"m","model":"c"}})";
  const std::string wire =
      start +
      "\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
      "\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\","
      "\"thinking\":\"hm\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\","
      "\"signature\":\"sig+/==\"}}\n\n"
      "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
      "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
      "\"redacted_thinking\",\"data\":\"enc==\"}}\n\n"
      "data: {\"type\":\"content_block_stop\",\"index\":1}\n\n"
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{"
      "\"output_tokens\":3}}\n\ndata: {\"type\":\"message_stop\"}\n\n";
  std::mt19937_64 random(5);
  EncoderSettings settings;
  const auto body = openai_.encoder(settings);
  Into ours(*body);
  ASSERT_TRUE(feed_in_pieces(*anthropic_.decoder(true), wire, ours, random));
  // An OpenAI application gives the answer's message back as it was.
  const std::string& json = ours.out;
  const auto begin = json.find("\"message\":") + 10;
  const std::string message = json.substr(begin, json.find(",\"logprobs\"", begin) - begin);
  const auto chat = decode(openai_, R"({"model":"m","messages":[{"role":"user","content":"q"},)" +
                                        message + R"(,{"role":"user","content":"and?"}]})");
  ASSERT_TRUE(chat) << chat.error().message << json;
  const std::string again = encode(anthropic_, *chat);
  EXPECT_NE(again.find(R"({"type":"thinking","thinking":"hm","signature":"sig+/=="},)"
                       R"({"type":"redacted_thinking","data":"enc=="})"),
            again.npos)
      << json << "\n"
      << again;
}

/// Sees each text whole, and hides one word of it.
class Hides final : public Stage {
 public:
  std::string_view name() const override { return "hides"; }
  unsigned hooks() const override { return kOnEvent; }
  Hold hold(const Sections&) const override { return Hold::whole(); }
  Verdict on_event(Exchange&, Event& event) override {
    if (event.kind != EventKind::Text) return go_on();
    const auto at = event.text->get().find("secret");
    if (at != std::string_view::npos) event.text->replace(at, at + 6, "###");
    return go_on();
  }
};

TEST(HeldText, GoesOutBeforeItsBlockEnds) {
  Hides hides;
  exchange::testing::World world({&hides});
  world.client.scripts.push_back(
      {.fields = {{"content-type", "text/event-stream"}},
       .pieces = {exchange::testing::chunk("my sec"), exchange::testing::chunk("ret is out"),
                  exchange::testing::chunk_end()}});
  const auto stream = world.messages(
      R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]})");
  const std::string& body = stream->body;
  const auto text = body.find(R"("delta":{"type":"text_delta","text":"my ### is out"})");
  ASSERT_NE(text, body.npos) << body;
  EXPECT_GT(text, body.find("event: content_block_start")) << body;
  EXPECT_LT(text, body.find("event: content_block_stop")) << body;
  EXPECT_EQ(body.find("sec\""), body.npos) << body;
  EXPECT_TRUE(body.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")) << body;
  EXPECT_EQ(stream->fields["request-id"], stream->fields["x-request-id"]);
  EXPECT_EQ(world.client.targets[0], "/v1/chat/completions");
}

TEST(HeldText, AnErrorHasTheFormOfTheApplicationsDialect) {
  exchange::testing::World world;
  world.client.scripts.push_back({.status = 400, .pieces = {R"({"error":{"message":"bad"}})"}});
  const auto answer =
      world.messages(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(answer->body.starts_with(
      R"({"type":"error","error":{"type":"invalid_request_error","message":"bad")"))
      << answer->body;
}

}  // namespace
}  // namespace causeway::exchange
