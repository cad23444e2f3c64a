// What of a provider's answer the application gets, and what is put into it.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

#include "dialects/openai/dialect.h"

namespace causeway::openai {
namespace {

constexpr std::int64_t kMicros = 1230;  // 0.00123

/// One event through reader and writer. `edited`: each text is replaced by this one.
std::string through(std::string event, std::optional<std::int64_t> cost, bool wanted = true,
                    std::string edited = "") {
  const OpenAiDialect dialect;
  Operations operations;
  dialect.operations(operations);
  const Operation& chat = *operations.find(http::Method::Post, "/v1/chat/completions").operation;
  const auto reader = dialect.reader(chat);
  const auto writer = dialect.writer(chat, {wanted, !edited.empty()});
  event.reserve(event.size() + 64);
  reader->feed(event);
  Frame frame;
  std::string all;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) return "broken";
    if (!*more) return all;
    for (const Event& part : frame.events) {
      if (part.kind == EventKind::Text && !edited.empty()) frame.released.push_back(edited);
    }
    if (cost) writer->cost(*cost);
    Bytes out;
    writer->frame(frame, out);
    for (const auto span : out.spans()) all += span;
  }
}

TEST(Answer, TheCostIsTheFirstMemberOfTheUsageAndNothingElseChanges) {
  EXPECT_EQ(
      through("event: x\r\ndata: {\"choices\":[], \"usage\" : { \"prompt_tokens\":3 } }\r\n\r\n",
              kMicros),
      "event: x\r\ndata: {\"choices\":[], \"usage\" : {\"cost\":0.00123, \"prompt_tokens\":3 } }"
      "\r\n\r\n");
  EXPECT_EQ(through("data: {\"choices\":[],\"usage\":{ }}\n\n", 2'000'000),
            "data: {\"choices\":[],\"usage\":{\"cost\":2 }}\n\n");
}

TEST(Answer, TheCostIsToldOnlyWhereItIsKnownAndUsageWasAskedFor) {
  const std::string usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n";
  EXPECT_EQ(through(usage, {}), usage);
  EXPECT_EQ(through(usage, kMicros, false), "");
  const std::string with_content =
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":3}}\n\n";
  EXPECT_EQ(through(with_content, kMicros, false), with_content);
  const std::string none =
      "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"usage\\\":{}\"}}],\"usage\":null}\n\n";
  EXPECT_EQ(through(none, kMicros), none);
}

TEST(Answer, ACostOfTheProvidersOwnIsLeftAsItIs) {
  const std::string own =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"cost\":0.5,\"x\":{}}}\n\n";
  EXPECT_EQ(through(own, kMicros), own);
}

TEST(Answer, CostAndEditedTextsGoTogether) {
  EXPECT_EQ(through("data: {\"usage\":{\"prompt_tokens\":3},\"choices\":[{\"delta\":{\"content\":"
                    "\"secret\"}}]}\n\n",
                    kMicros, true, "###"),
            "data: {\"usage\":{\"cost\":0.00123,\"prompt_tokens\":3},\"choices\":[{\"delta\":{"
            "\"content\":\"###\"}}]}\n\n");
  EXPECT_EQ(through("data: {\"choices\":[{\"delta\":{\"content\":\"secret\"}}],\"usage\":{"
                    "\"prompt_tokens\":3}}\n\n",
                    kMicros, true, "###"),
            "data: {\"choices\":[{\"delta\":{\"content\":\"###\"}}],\"usage\":{\"cost\":0.00123,"
            "\"prompt_tokens\":3}}\n\n");
}

TEST(Answer, DataOfSeveralLinesStaysOneEvent) {
  EXPECT_EQ(through("data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":3}}\n\n", kMicros),
            "data: {\"choices\":[], \"usage\":{\"cost\":0.00123,\"prompt_tokens\":3}}\n\n");
  EXPECT_EQ(through("data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"secret\"}}]}\n\n", {},
                    true, "###"),
            "data: {\"choices\": [{\"delta\":{\"content\":\"###\"}}]}\n\n");
}

TEST(Answer, ProbabilitiesThatOnlyWeHaveAskedForAreTakenOut) {
  const OpenAiDialect dialect;
  Operations operations;
  dialect.operations(operations);
  const Operation& chat = *operations.find(http::Method::Post, "/v1/chat/completions").operation;
  const auto passed = [&](std::string body, bool hide) {
    body.reserve(body.size() + 64);
    Frame frame;
    EXPECT_TRUE(dialect.reader(chat)->whole(body, frame));
    Bytes out;
    dialect.writer(chat, {true, false, hide})->frame(frame, out);
    std::string all;
    for (const auto span : out.spans()) all += span;
    return all;
  };
  const std::string told =
      R"({"choices":[{"message":{"content":"a"},"logprobs":{"content":[{"token":"{","logprob":-1}]}}]})";
  EXPECT_EQ(passed(told, false), told);
  EXPECT_EQ(passed(told, true), R"({"choices":[{"message":{"content":"a"},"logprobs":null}]})");
  const std::string none = R"({"choices":[{"message":{"content":"a"},"logprobs": null}]})";
  EXPECT_EQ(passed(none, true), none) << "as it came";
}

TEST(Logprobs, TheGeometricMeanOfWhatTheTokensHad) {
  const auto read = [](std::string body, bool streamed) {
    body.reserve(body.size() + 64);
    auto reader = OpenAiDialect().logprob_reader();
    streamed ? reader->feed(body) : reader->whole(body);
    return reader;
  };
  const auto token = [](const char* logprob) {
    return R"({"choices":[{"logprobs":{"content":[{"logprob":)" + std::string(logprob) +
           R"(,"top_logprobs":[{"logprob":-7}]}],"refusal":null}}]})";
  };
  const auto whole = read(token("-2"), false);
  EXPECT_EQ(whole->tokens(), 1u);
  EXPECT_TRUE(whole->ended());
  EXPECT_NEAR(whole->confidence(), std::exp(-2), 1e-9);
  const auto streamed = read("data: " + token("-1") + "\n\ndata: " + token("-3") + "\n\n", true);
  EXPECT_FALSE(streamed->ended());
  EXPECT_NEAR(streamed->confidence(), std::exp(-2), 1e-9);
  EXPECT_TRUE(read("data: [DONE]\n\n", true)->ended());
  EXPECT_TRUE(read("data: {\"error\":{}}\n\n", true)->ended()) << "its own reader tells";
  EXPECT_TRUE(read("data: no JSON\n\n", true)->ended());
  EXPECT_EQ(read(R"({"choices":[{"logprobs":null}]})", false)->tokens(), 0u);
  EXPECT_EQ(read(R"({"choices":[{"logprobs":{"content":"x"}}]})", false)->confidence(), 1.0);
  // llama-server's word for no probability at all
  EXPECT_GT(read(token("-3.4028234663852886e38"), false)->confidence(), 0.0);
}

}  // namespace
}  // namespace causeway::openai
