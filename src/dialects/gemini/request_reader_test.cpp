#include "dialects/gemini/test_support.h"

namespace causeway::gemini {
namespace {

class RequestReaderTest : public testing::DialectTest {
 protected:
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    Request request(index_);
    for (const Text& text : request.texts()) all.emplace_back(text.get());
    return all;
  }
};

TEST_F(RequestReaderTest, StagesSeeEveryText) {
  ASSERT_TRUE(read(R"({"contents":[{"role":"user","parts":[{"text":"a\"b"}]},
    {"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":{"y":["deep"]},"n":1}}}]},
    {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"found"}}}]}],
    "systemInstruction":{"parts":[{"text":"sys"}]},
    "tools":[{"functionDeclarations":[{"name":"f","description":"what it does"}]}],
    "generationConfig":{"maxOutputTokens":5,"candidateCount":2}})"));
  EXPECT_EQ(texts(), (std::vector<std::string>{"a\"b", "deep", "found", "sys", "what it does"}));
  EXPECT_EQ(index_.texts[1].where.kind, TextKind::ToolArguments);
  EXPECT_EQ(index_.texts[2].where.kind, TextKind::ToolResult);
  EXPECT_EQ(index_.texts[2].where.role, Role::Tool);
  EXPECT_EQ(index_.texts[3].where.role, Role::System);
  EXPECT_EQ(index_.messages.size(), 3u);
  EXPECT_EQ(index_.model, "m");
  EXPECT_EQ(index_.max_tokens, 5u);
  EXPECT_EQ(index_.choices, 2u);
  EXPECT_TRUE(index_.has_system_prompt);
  EXPECT_TRUE(index_.has_tools);
  EXPECT_FALSE(index_.has_unread_content);
  EXPECT_FALSE(index_.stream);
}

TEST_F(RequestReaderTest, TheModelIsDecodedOnce) {
  index_.clear();
  const std::string body = R"({"contents":[{"parts":[{"text":"x"}]}]})";
  ASSERT_TRUE(kDialect.read(operation_, "org%2Fa%2525b", padded(body), index_));
  EXPECT_EQ(index_.model, "org/a%25b");
}

TEST_F(RequestReaderTest, OnlyTheStreamsPathStreams) {
  operation_ = operation(OperationKind::Chat, kStream);
  ASSERT_TRUE(read(R"({"contents":[{"parts":[{"text":"x"}]}]})"));
  EXPECT_TRUE(index_.stream);
}

TEST_F(RequestReaderTest, EditsAndInsertionsKeepTheRest) {
  ASSERT_TRUE(read(R"({"contents":[ {"parts":[{"text":"x"}]} ],"z":[1, 2]})"));
  Request request(index_);
  request.text(0).set("y\n");
  ASSERT_TRUE(request.insert(0, {Role::System, "first"}));
  ASSERT_TRUE(request.insert(1, {Role::Assistant, "last"}));
  EXPECT_EQ(
      request.joined(),
      R"({"systemInstruction":{"parts":[{"text":"first"}]},"contents":[{"parts":[{"text":"y\n"}]},)"
      R"({"role":"model","parts":[{"text":"last"}]}],"z":[1, 2]})");
}

TEST_F(RequestReaderTest, ASystemPromptIsPutAroundTheApplicationsOwn) {
  ASSERT_TRUE(read(R"({"system_instruction":{"parts":[{"text":"own"}]},
    "contents":[{"parts":[{"text":"x"}]}]})"));
  Request request(index_);
  ASSERT_TRUE(request.insert(0, {Role::System, "before"}));
  ASSERT_TRUE(request.insert(1, {Role::System, "behind"}));
  const std::string joined = request.joined();
  EXPECT_TRUE(joined.starts_with(
      R"({"system_instruction":{"parts":[{"text":"before"},{"text":"own"},{"text":"behind"}]},)"))
      << joined;
}

TEST_F(RequestReaderTest, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  const std::string contents = R"("contents":[{"parts":[{"text":"x"}]}])";
  for (const std::string& body : std::vector<std::string>{
           "{" + contents + "," + contents + "}",
           "{" + contents + R"(,"systemInstruction":{},"system_instruction":{}})",
           R"({"contents":[{"parts":[{"text":"x","text":"y"}]}]})",
           R"({"contents":[{"parts":[{"functionCall":{"args":{"a":1,"a":2}}}]}]})",
           R"({"contents":[{"parts":[{"inlineData":{},"inline_data":{}}]}]})", R"({"contents":[]})",
           R"({"contents":"x"})", R"({})", R"([])", "{" + contents + "} x"}) {
    const auto done = read(body);
    ASSERT_FALSE(done) << body;
    EXPECT_EQ(done.error().kind, ErrorKind::InvalidRequest) << body;
  }
}

TEST_F(RequestReaderTest, WhereTheBodyNamesTheModelItSaysTheSame) {
  operation_ = operation(OperationKind::Embeddings, kEmbedBatch);
  ASSERT_TRUE(read(R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},
    {"model":"models/m","content":{"parts":[{"text":"b"}]}}]})"));
  EXPECT_EQ(index_.inputs, 2u);
  EXPECT_EQ(texts(), (std::vector<std::string>{"a", "b"}));
  Request request(index_);
  kDialect.address(operation_, "up", false, request);
  EXPECT_EQ(request.joined(),
            R"({"requests":[{"model":"models/up","content":{"parts":[{"text":"a"}]}},)"
            R"({"model":"models/up","content":{"parts":[{"text":"b"}]}}]})");
}

TEST_F(RequestReaderTest, CountsTheTextsOfARequestInside) {
  operation_ = operation(OperationKind::CountTokens, kCount);
  ASSERT_TRUE(read(R"({"generateContentRequest":{"model":"models/m",
    "contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"text":"b"}]}}})"));
  EXPECT_EQ(texts(), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace causeway::gemini
