// What Vertex AI wants otherwise than Anthropic's own API.
#include "dialects/anthropic/vertex.h"

#include <gtest/gtest.h>

namespace causeway::anthropic {
namespace {

class VertexDialectTest : public ::testing::Test {
 protected:
  std::string addressed(const std::string& body, OperationKind kind) {
    const std::string padded = body + std::string(64, '\0');
    RequestIndex index;
    Operation operation;
    operation.kind = kind;
    operation.dialect = &plain_;
    EXPECT_TRUE(vertex_.takes(operation));
    EXPECT_TRUE(plain_.read(operation, {}, std::string_view(padded).substr(0, body.size()), index));
    Request request(index);
    vertex_.address(operation, "claude-x", true, request);
    return request.joined();
  }

  const AnthropicDialect plain_;
  const VertexDialect vertex_{plain_};
};

TEST_F(VertexDialectTest, TheBodyHasAVersionInsteadOfAModel) {
  EXPECT_EQ(
      addressed(R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"q"}]})",
                OperationKind::Chat),
      R"({"max_tokens":5,"messages":[{"role":"user","content":"q"}],"anthropic_version":"vertex-2023-10-16"})");
  EXPECT_EQ(addressed(R"({"max_tokens":5,"anthropic_version":"x",)"
                      R"("messages":[{"role":"user","content":"q"}],"model":"m"})",
                      OperationKind::Chat),
            R"({"max_tokens":5,"anthropic_version":"vertex-2023-10-16",)"
            R"("messages":[{"role":"user","content":"q"}]})");
}

TEST_F(VertexDialectTest, ACountNamesItsModel) {
  EXPECT_EQ(
      addressed(R"({"model":"m","messages":[{"role":"user","content":"q"}]})",
                OperationKind::CountTokens),
      R"({"model":"claude-x","messages":[{"role":"user","content":"q"}],"anthropic_version":"vertex-2023-10-16"})");
}

TEST_F(VertexDialectTest, WhatIsTranslatedHasTheSameForm) {
  Chat chat;
  ChatMessage message;
  message.role = Role::User;
  message.parts.emplace_back().text = "hi";
  chat.messages.push_back(message);
  LeftOut left_out;
  const auto body = vertex_.encode(chat, "claude-sonnet-4-5@20250929", left_out);
  ASSERT_TRUE(body);
  EXPECT_TRUE(body->starts_with(R"({"anthropic_version":"vertex-2023-10-16","max_tokens":)"))
      << *body;
  EXPECT_EQ(body->find("\"model\""), std::string::npos);
}

}  // namespace
}  // namespace causeway::anthropic
