// What stages see of a request, and what their edits make of it.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "dialects/anthropic/dialect.h"

namespace causeway::anthropic {
namespace {

class RequestReader : public ::testing::Test {
 protected:
  Result<void> read(const std::string& body, OperationKind kind = OperationKind::Chat) {
    padded_ = body + std::string(64, '\0');
    index_.clear();
    Operation operation;
    operation.kind = kind;
    return dialect_.read(operation, {}, std::string_view(padded_).substr(0, body.size()), index_);
  }
  std::vector<std::string> texts(Request& request) {
    std::vector<std::string> all;
    for (const Text& text : request.texts()) all.emplace_back(text.get());
    return all;
  }

  AnthropicDialect dialect_;
  RequestIndex index_;
  std::string padded_;
};

constexpr const char* kFull = R"({"model":"m","max_tokens":9,"stream":true,
 "system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
 "messages":[{"role":"user","content":"hi"},
  {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s=="},
    {"type":"tool_use","id":"t1","name":"f","input":{"city":"Bern","days":[1,"two"]}}]},
  {"role":"user","content":[{"content":[{"type":"text","text":"sunny"}],"type":"tool_result","tool_use_id":"t1"},
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},
    {"type":"document","title":"a.txt","source":{"data":"plain words","type":"text","media_type":"text/plain"}}]}],
 "tools":[{"name":"f","description":"tells","input_schema":{"type":"object"}}],
 "metadata":{"user_id":"u1"}})";

TEST_F(RequestReader, FindsEveryText) {
  ASSERT_TRUE(read(kFull));
  Request request(index_);
  EXPECT_EQ(texts(request),
            (std::vector<std::string>{"Be brief.", "hi", "hm", "Bern", "two", "sunny", "a.txt",
                                      "plain words", "tells", "u1"}));
  EXPECT_EQ(index_.texts[0].where.role, Role::System);
  EXPECT_EQ(index_.texts[3].where.kind, TextKind::ToolArguments);
  EXPECT_EQ(index_.texts[5].where.kind, TextKind::ToolResult);
  EXPECT_EQ(index_.texts[5].where.role, Role::Tool);
  EXPECT_EQ(index_.texts[7].where.kind, TextKind::File);
  EXPECT_EQ(index_.texts[9].where.kind, TextKind::UserId);
  EXPECT_TRUE(index_.has_system_prompt);
  EXPECT_TRUE(index_.has_tools);
  EXPECT_TRUE(index_.has_unread_content);
  EXPECT_TRUE(index_.stream);
  EXPECT_EQ(index_.max_tokens, 9u);
  EXPECT_EQ(request.joined(), kFull);
}

TEST_F(RequestReader, RefusesWhatItCannotServe) {
  const std::string messages = R"("messages":[{"role":"user","content":"x"}])";
  for (const auto& [body, param] : std::vector<std::pair<std::string, std::string>>{
           {"{" + messages + R"(,"max_tokens":1})", "model"},
           {R"({"model":"m","max_tokens":1})", "messages"},
           {R"({"model":"m","max_tokens":1,"messages":[]})", "messages"},
           {R"({"model":"m",)" + messages + "}", "max_tokens"},
           {R"({"model":"m","max_tokens":"9",)" + messages + "}", "max_tokens"},
           {R"({"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]})",
            "messages.0.role"},
           {R"({"model":"m","max_tokens":1,"messages":[{"role":"user"}]})", "messages.0.content"},
           {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":5}]})",
            "messages.0.content"},
           {R"({"model":"m","max_tokens":1,"system":4,)" + messages + "}", "system"},
           {R"({"model":"m","max_tokens":1,)" + messages + "," + messages + "}", "messages"}}) {
    const auto done = read(body);
    ASSERT_FALSE(done) << body;
    EXPECT_EQ(done.error().param, param) << body;
    EXPECT_EQ(done.error().kind, ErrorKind::InvalidRequest);
  }
  EXPECT_TRUE(read(R"({"model":"m",)" + messages + "}", OperationKind::CountTokens));
  EXPECT_EQ(read("{").error().code, "invalid_json");
}

// With what is put in, the body says what the fork says, in the same order.
TEST_F(RequestReader, ASystemPromptThatIsPutInGoesIntoSystem) {
  const std::string rest = R"("messages":[{"role":"user","content":"x"}],"max_tokens":1})";
  for (const std::string system :
       {"", R"("system":"own",)", R"("system":[{"type":"text","text":"own"}],)", R"("system":[],)",
        R"("system":null,)"}) {
    for (const bool behind : {false, true}) {
      const std::string body =
          behind ? R"({"model":"m",)" + rest.substr(0, rest.size() - 1) +
                       (system.empty() ? "" : "," + system.substr(0, system.size() - 1)) + "}"
                 : R"({"model":"m",)" + system + rest;
      ASSERT_TRUE(read(body)) << body;
      Request fork = Request(index_).fork();
      ASSERT_TRUE(fork.insert(0, {Role::System, "in \"front\""}));
      ASSERT_TRUE(fork.insert(1, {Role::System, "behind"}));
      ASSERT_TRUE(fork.insert(1, {Role::User, "more"}));
      fork.set_member("temperature", "0.5");
      const auto expected = texts(fork);
      const std::string joined = fork.joined();
      ASSERT_TRUE(read(joined)) << joined;
      Request again(index_);
      EXPECT_EQ(texts(again), expected) << joined;
      EXPECT_EQ(index_.messages.size(), 2u) << joined;
      EXPECT_EQ(index_.member("temperature") != nullptr, true) << joined;
      EXPECT_NE(joined.find("in \\\"front\\\""), joined.npos);
    }
  }
}

TEST_F(RequestReader, TheSystemPromptCanBeEditedAndAddedTo) {
  ASSERT_TRUE(read(R"({"model":"m","max_tokens":1,"system":"my secret","messages":[)"
                   R"({"role":"user","content":"x"}]})"));
  Request fork = Request(index_).fork();
  fork.text(0).set("my ###");
  ASSERT_TRUE(fork.insert(0, {Role::System, "rules"}));
  EXPECT_EQ(fork.joined(),
            R"({"model":"m","max_tokens":1,"system":[{"type":"text","text":"rules"},)"
            R"({"type":"text","text":"my ###"}],"messages":[{"role":"user","content":"x"}]})");
  Request alone(index_);
  EXPECT_EQ(alone.joined(), index_.body);
}

TEST_F(RequestReader, TheTargetsModelIsAllThatChanges) {
  ASSERT_TRUE(read(kFull));
  Request fork = Request(index_).fork();
  dialect_.address({}, "claude-x", true, fork);
  std::string expected = kFull;
  expected.replace(expected.find("\"m\""), 3, "\"claude-x\"");
  EXPECT_EQ(fork.joined(), expected);
}

TEST_F(RequestReader, PartsThatNobodyReads) {
  read(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
    {"type":"image","source":{"type":"base64","data":"aGk="}},
    {"type":"document","source":{"type":"text","data":"plain"}},
    {"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]},
    {"type":"redacted_thinking","data":"aGk="}]}]})");
  std::vector<std::string> parts;
  for (const auto& range : index_.unread) parts.emplace_back(index_.bytes(range).substr(0, 60));
  EXPECT_EQ(parts, (std::vector<std::string>{
                       R"({"type":"image","source":{"type":"base64","data":"aGk="}})",
                       R"({"type":"image","source":{"type":"url","url":"https://x"}})"}));
  EXPECT_TRUE(index_.has_unread_content);
}

}  // namespace
}  // namespace causeway::anthropic
