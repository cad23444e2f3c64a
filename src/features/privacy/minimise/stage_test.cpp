// Whole requests of every dialect go through the stage; what is left is read again.
#include "features/privacy/minimise/stage.h"

#include <gtest/gtest.h>

#include "dialects/anthropic/dialect.h"
#include "dialects/gemini/dialect.h"
#include "dialects/openai/dialect.h"
#include "dialects/openai/responses.h"

namespace causeway::minimise {
namespace {

class Sent {
 public:
  Sent(const Dialect& dialect, std::string body, MinimiseSettings settings)
      : body_(std::move(body)), exchange_(layout_) {
    body_.reserve(body_.size() + 64);
    operation_.kind = OperationKind::Chat;
    operation_.dialect = &dialect;
    exchange_.operation = &operation_;
    const auto read = dialect.read(operation_, "gemini", body_, exchange_.index);
    EXPECT_TRUE(read) << read.error().message;
    exchange_.request = Request(exchange_.index);
    policy_.sections.set(0, std::make_shared<MinimiseSettings>(std::move(settings)));
    exchange_.policy = &policy_;
    MinimiseStage stage{SectionKey<MinimiseSettings>(0)};
    EXPECT_TRUE(stage.enabled(policy_.sections));
    EXPECT_TRUE(stage.on_request(exchange_));
  }
  std::string body() const { return exchange_.request.joined(); }
  bool has(std::string_view text) const { return body().find(text) != std::string::npos; }
  std::uint32_t saved() const { return exchange_.tokens_saved.value_or(0); }

 private:
  SlotLayout layout_;
  std::string body_;
  Operation operation_;
  EffectivePolicy policy_;
  Exchange exchange_;
};

MinimiseSettings most(std::uint32_t messages, std::uint32_t keep_last = 1) {
  MinimiseSettings settings;
  settings.max_messages = messages;
  settings.keep_last = keep_last;
  return settings;
}

const openai::OpenAiDialect kOpenAi;
const openai::ResponsesDialect kResponses;
const anthropic::AnthropicDialect kAnthropic;
const gemini::GeminiDialect kGemini;

TEST(MinimiseStage, KeepsWhatTheQuestionIsAbout) {
  const Sent sent(kOpenAi, R"({"model":"m","messages":[
    {"role":"system","content":"be kind"},
    {"role":"user","content":"The code of the door is 4711."},{"role":"assistant","content":"Noted."},
    {"role":"user","content":"What is the weather?"},{"role":"assistant","content":"Sunny."},
    {"role":"user","content":"Tell me a joke."},{"role":"assistant","content":"No."},
    {"role":"user","content":"Which code has the door?"}],"n":1})",
                  most(3));
  EXPECT_EQ(sent.body(), R"({"model":"m","messages":[{"role":"system","content":"be kind"},)"
                         R"({"role":"user","content":"The code of the door is 4711."},)"
                         R"({"role":"assistant","content":"Noted."},)"
                         R"({"role":"user","content":"Which code has the door?"}],"n":1})");
  // (20 + 6 + 15 + 3 bytes) / 4, and four for each of the messages
  EXPECT_EQ(sent.saved(), 11u + 16);
}

TEST(MinimiseStage, ABudgetThatIsNotSpentChangesNothing) {
  MinimiseSettings settings;
  settings.max_tokens = 1000;
  const std::string body =
      R"({"model":"m", "messages": [ {"role":"user","content":"a"}, {"role":"user","content":"b"} ] })";
  const Sent sent(kOpenAi, body, settings);
  EXPECT_EQ(sent.body(), body);
  EXPECT_EQ(sent.saved(), 0u);
}

TEST(MinimiseStage, TheLastMessagesAndTheirQuestionStayWhateverTheBudget) {
  MinimiseSettings settings;
  settings.max_tokens = 1;
  settings.keep_last = 1;
  const Sent sent(kOpenAi, R"({"model":"m","messages":[{"role":"user","content":"old"},
    {"role":"assistant","content":"older answer"},{"role":"user","content":"the question"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"a","content":"ra"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"b","content":"rb"}]})",
                  settings);
  EXPECT_FALSE(sent.has("old"));
  EXPECT_TRUE(sent.has("the question"));
  EXPECT_FALSE(sent.has("\"a\"")) << "an old step of the same question may go";
  EXPECT_TRUE(sent.has(R"("id":"b")") && sent.has(R"("tool_call_id":"b")"));
}

TEST(MinimiseStage, CallsAndResultsOfTheResponsesApiStayTogether) {
  const char* body = R"({"model":"m","input":[
    {"role":"user","content":"Where is the parcel of Ann?"},
    {"type":"reasoning","id":"rs_1","summary":[]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"},
    {"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},
    {"role":"user","content":"quickly"},
    {"type":"function_call_output","call_id":"c2","output":"Bergen"},
    {"type":"function_call_output","call_id":"c1","output":"Oslo"},
    {"role":"assistant","content":"It is in Oslo."},
    {"role":"user","content":"What about lunch?"},{"role":"assistant","content":"Soup."},
    {"role":"user","content":"Was Ann's parcel in Bergen?"}]})";
  const Sent kept(kResponses, body, most(9));
  for (const char* part : {"rs_1", R"("call_id":"c1","name)", R"("call_id":"c2","output)",
                           R"("call_id":"c1","output)", "quickly"}) {
    EXPECT_TRUE(kept.has(part)) << part;
  }
  EXPECT_FALSE(kept.has("lunch"));
  const Sent gone(kResponses, body, most(5));
  for (const char* part : {"rs_1", "call_id", "quickly", "Bergen\""}) {
    EXPECT_FALSE(gone.has(part)) << part;
  }
}

TEST(MinimiseStage, AnthropicsBlocksStayTogetherAndAUserBegins) {
  const char* body = R"({"model":"m","max_tokens":9,"system":"be kind","messages":[
    {"role":"user","content":"Where is the parcel of Ann?"},
    {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"who":"Ann"}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"Oslo"}]},
    {"role":"assistant","content":"In Oslo."},
    {"role":"user","content":"What about lunch?"},{"role":"assistant","content":"Soup."},
    {"role":"user","content":"And the weather in Oslo?"}]})";
  const Sent kept(kAnthropic, body, most(5));
  EXPECT_TRUE(kept.has("\"id\":\"t1\"") && kept.has("tool_use_id")) << kept.body();
  EXPECT_FALSE(kept.has("lunch"));
  const Sent without(kAnthropic, body, most(3));
  EXPECT_FALSE(without.has("t1"));
  EXPECT_TRUE(without.has(R"("messages":[{"role":"user")"));
  EXPECT_TRUE(without.has(R"("system":"be kind")"));
}

TEST(MinimiseStage, GeminisCallsStayWithTheirAnswersById) {
  const char* body = R"({"contents":[
    {"role":"user","parts":[{"text":"Where is the parcel of Ann?"}]},
    {"role":"model","parts":[{"functionCall":{"name":"find","args":{"who":"Ann"}}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"find","response":{"city":"Oslo"}}}]},
    {"role":"model","parts":[{"text":"In Oslo."}]},
    {"role":"user","parts":[{"text":"What about lunch?"}]},{"role":"model","parts":[{"text":"Soup."}]},
    {"role":"user","parts":[{"text":"How warm is it in Oslo?"}]}]})";
  const Sent kept(kGemini, body, most(5));
  EXPECT_TRUE(kept.has("functionCall") && kept.has("functionResponse")) << kept.body();
  EXPECT_FALSE(kept.has("lunch"));
  const Sent without(kGemini, body, most(3));
  EXPECT_EQ(without.has("functionCall"), without.has("functionResponse"));
}

MinimiseSettings stripping(std::vector<Strip> what) {
  MinimiseSettings settings;
  settings.strip = std::move(what);
  return settings;
}

TEST(MinimiseStage, StripsUsersAndToolsAndNobodyElse) {
  const Sent sent(kOpenAi, R"({"model":"m","messages":[
    {"role":"system","content":"https://a.example/?gclid=1"},
    {"role":"user","content":[{"type":"text","text":"see https://a.example/?gclid=2"},
       {"type":"image_url","image_url":{"url":"https://a.example/?gclid=3"}}]},
    {"role":"assistant","content":"https://a.example/?gclid=4","tool_calls":[{"id":"a","type":"function",
       "function":{"name":"f","arguments":"{\"u\":\"https://a.example/?gclid=5\"}"}}]},
    {"role":"tool","tool_call_id":"a","content":"https://a.example/?gclid=6"}]})",
                  stripping({Strip::TrackingLinks}));
  for (const char* stays : {"gclid=1", "gclid=3", "gclid=4", "gclid=5"}) {
    EXPECT_TRUE(sent.has(stays)) << stays;
  }
  EXPECT_FALSE(sent.has("gclid=2") || sent.has("gclid=6"));
  EXPECT_TRUE(sent.has(R"("text":"see https://a.example/"})"));
  EXPECT_EQ(sent.saved(), 4u);  // twice eight bytes
}

TEST(MinimiseStage, WhatTheLastQuestionRepeatsStays) {
  const std::string terms(100, 't');
  const Sent sent(kOpenAi,
                  R"({"model":"m","messages":[{"role":"user","content":")" + terms +
                      R"("},{"role":"user","content":"x\n\n)" + terms +
                      R"("},{"role":"user","content":"y\n\n)" + terms + R"("}]})",
                  stripping({Strip::RepeatedText}));
  EXPECT_TRUE(sent.has(R"("content":"x\n\n"})")) << sent.body();
  EXPECT_TRUE(sent.has(R"("content":"y\n\n)" + terms));
}

TEST(MinimiseStage, DocumentsKeepTheirListedMembers) {
  MinimiseSettings settings;
  settings.json_fields = {"id"};
  const Sent sent(kAnthropic,
                  R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},
    {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"id":1,"b":2}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text",
      "text":"{\"id\":7,\"secret\":\"s\"}"}]}]}]})",
                  settings);
  EXPECT_TRUE(sent.has(R"("text":"{\"id\":7}")")) << sent.body();
  EXPECT_TRUE(sent.has(R"("input":{"id":1,"b":2})"));
}

TEST(MinimiseStage, IsOffWhereNothingIsAskedFor) {
  EXPECT_FALSE(MinimiseSettings().does_anything());
  MinimiseSettings off = most(3);
  off.off = true;
  EXPECT_FALSE(off.does_anything());
}

}  // namespace
}  // namespace causeway::minimise
