// What of a provider's answer the application gets, and what is put into it.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace causeway::openai
