// Requests of every dialect, read as the program reads them.
#include "features/traffic/faq/asked.h"

#include <gtest/gtest.h>

#include "dialects/anthropic/dialect.h"
#include "dialects/gemini/dialect.h"
#include "dialects/openai/dialect.h"
#include "dialects/openai/responses.h"

namespace causeway::faq {
namespace {

class Asked {
 public:
  Asked(const Dialect& dialect, std::string body, bool conversation = false)
      : body_(std::move(body)), exchange_(layout_) {
    body_.reserve(body_.size() + 64);
    operation_.dialect = &dialect;
    const auto read = dialect.read(operation_, "gemini", body_, exchange_.index);
    EXPECT_TRUE(read) << read.error().message;
    exchange_.request = Request(exchange_.index);
    std::string joined;
    question = question_of(exchange_, conversation, joined);
  }
  std::string with_system_message(std::string text) {
    EXPECT_TRUE(add_system_message(exchange_.request, std::move(text)));
    return exchange_.request.joined();
  }

  std::string question;

 private:
  SlotLayout layout_;
  std::string body_;
  Operation operation_;
  Exchange exchange_;
};

const openai::OpenAiDialect kOpenAi;
const openai::ResponsesDialect kResponses;
const anthropic::AnthropicDialect kAnthropic;
const gemini::GeminiDialect kGemini;

std::string openai_question(std::string_view messages, std::string_view more = "",
                            bool conversation = false) {
  return Asked(kOpenAi,
               "{\"model\":\"m\",\"messages\":[" + std::string(messages) + "]" + std::string(more) +
                   "}",
               conversation)
      .question;
}

constexpr const char* kUser = R"({"role":"user","content":"Why?"})";
constexpr const char* kTurns =
    R"({"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"},{"role":"user","content":"Why?"})";

TEST(Asked, TheFirstQuestion) {
  EXPECT_EQ(openai_question(kUser), "Why?");
  EXPECT_EQ(openai_question(R"({"role":"system","content":"Be kind."},)" + std::string(kUser)),
            "Why?");
  EXPECT_EQ(openai_question(R"({"role":"user","content":[{"type":"text","text":"a"},
                               {"type":"text","text":"b"}]})"),
            "a\nb");
  EXPECT_EQ(openai_question(kTurns), "");
  EXPECT_EQ(openai_question(kTurns, "", true), "Why?");
}

TEST(Asked, InEachDialect) {
  EXPECT_EQ(Asked(kResponses, R"({"model":"m","input":"Why?"})").question, "Why?");
  EXPECT_EQ(Asked(kResponses, R"({"model":"m","instructions":"Be kind.","input":[
      {"role":"user","content":[{"type":"input_text","text":"Why?"}]}]})")
                .question,
            "Why?");
  EXPECT_EQ(Asked(kAnthropic, R"({"model":"m","max_tokens":9,"system":"Be kind.","messages":[
      {"role":"user","content":"Why?"}]})")
                .question,
            "Why?");
  EXPECT_EQ(Asked(kGemini, R"({"systemInstruction":{"parts":[{"text":"Be kind."}]},
      "contents":[{"parts":[{"text":"Why?"}]}]})")
                .question,
            "Why?");
}

TEST(Asked, NotWhereMoreThanWordsIsWanted) {
  for (const char* more :
       {R"(,"tools":[{"type":"function","function":{"name":"f"}}])", R"(,"n":2)",
        R"(,"response_format":{"type":"json_object"})", R"(,"modalities":["text","audio"])"}) {
    EXPECT_EQ(openai_question(kUser, more), "") << more;
  }
  EXPECT_EQ(openai_question(kUser, R"(,"response_format":{"type":"text"},"n":1)"), "Why?");
  EXPECT_EQ(openai_question(R"({"role":"user","content":[{"type":"text","text":"Why?"},
      {"type":"image_url","image_url":{"url":"https://e.example/a.png"}}]})"),
            "");
  EXPECT_EQ(
      openai_question(std::string(kUser) + R"(,{"role":"assistant","content":"Since"})", "", true),
      "")
      << "the answer has been begun";
  EXPECT_EQ(openai_question(R"({"role":"user","content":")" + std::string(2001, 'a') + "\"}"), "");
  EXPECT_EQ(Asked(kGemini, R"({"contents":[{"parts":[{"text":"Why?"}]}],
      "generationConfig":{"responseMimeType":"application/json"}})")
                .question,
            "");
}

TEST(Asked, ASystemMessageStandsBehindThoseThatAreThere) {
  const auto before = [](const std::string& text, const char* a, const char* b) {
    return text.find(a) != std::string::npos && text.find(a) < text.find(b);
  };
  const std::string plain =
      Asked(kOpenAi, "{\"model\":\"m\",\"messages\":[" + std::string(kUser) + "]}")
          .with_system_message("Staff");
  EXPECT_TRUE(before(plain, "Staff", "Why?")) << plain;
  const std::string behind =
      Asked(kOpenAi, R"({"model":"m","messages":[{"role":"system","content":"Kind"},)" +
                         std::string(kUser) + "]}")
          .with_system_message("Staff");
  EXPECT_TRUE(before(behind, "Kind", "Staff") && before(behind, "Staff", "Why?")) << behind;
  const std::string claude =
      Asked(kAnthropic, R"({"model":"m","max_tokens":9,"system":"Kind","messages":[
          {"role":"user","content":"Why?"}]})")
          .with_system_message("Staff");
  EXPECT_TRUE(before(claude, "Kind", "Staff")) << claude;
  EXPECT_EQ(Asked(kResponses, R"({"model":"m","input":"Why?"})").with_system_message("Staff"),
            R"({"model":"m","input":"Why?","instructions":"Staff"})");
  EXPECT_EQ(Asked(kResponses, R"({"model":"m","input":"Why?","instructions":"Kind"})")
                .with_system_message("Staff"),
            R"({"model":"m","input":"Why?","instructions":"Kind\n\nStaff"})");
}

}  // namespace
}  // namespace causeway::faq
