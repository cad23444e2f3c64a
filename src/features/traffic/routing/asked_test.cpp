#include "features/traffic/routing/asked.h"

#include <gtest/gtest.h>

#include <string>

#include "core/json_text.h"

namespace causeway::routing {
namespace {

/// A conversation, put together by hand as a dialect's reader would.
class Asked : public ::testing::Test {
 protected:
  void message(Role role) { index_.messages.push_back({role, {}}); }
  void part(const std::string& text, TextKind kind = TextKind::Content) {
    const std::string json = encode_json_string(text);
    const auto begin = static_cast<std::uint32_t>(body_.size());
    const auto end = begin + static_cast<std::uint32_t>(json.size());
    const auto number = static_cast<std::uint16_t>(index_.messages.size() - 1);
    index_.texts.push_back({{index_.messages.back().role, kind, number, 0}, {begin, end}});
    body_ += json + ",";
  }
  void says(Role role, const std::string& text) {
    message(role);
    part(text);
  }
  std::string question() {
    index_.body = body_;
    request_ = Request(index_);
    std::string joined;
    return std::string(question_of(request_, joined));
  }
  ChatShape shape() {
    asked_ = question();
    return shape_of(asked_, index_, false);
  }

  std::string body_, asked_;
  RequestIndex index_;
  Request request_;
};

TEST_F(Asked, TheLastMessageOfTheUser) {
  says(Role::System, "You are a desk.");
  says(Role::User, "Hello");
  says(Role::Assistant, "Hi!");
  says(Role::User, "Where is the \"atlas\"?");
  EXPECT_EQ(question(), "Where is the \"atlas\"?");
  says(Role::Assistant, "It ");  // to be continued
  EXPECT_EQ(question(), "Where is the \"atlas\"?");
}

TEST_F(Asked, AllPartsOfIt) {
  message(Role::User);
  part("Summarise this:");
  part("A long\nletter");
  EXPECT_EQ(question(), "Summarise this:\nA long\nletter");
  EXPECT_EQ(shape().bytes, question().size());
}

TEST_F(Asked, AToolsResultIsNotAsked) {
  says(Role::User, "What is the weather?");
  message(Role::User);
  part("12 degrees", TextKind::ToolResult);
  EXPECT_EQ(question(), "What is the weather?");
}

TEST_F(Asked, WithoutAUserThereIsNone) {
  EXPECT_EQ(question(), "");
  says(Role::System, "You are a desk.");
  EXPECT_EQ(question(), "");
  EXPECT_EQ(complexity_of(shape()), Complexity::Hard);
}

TEST_F(Asked, WhatIsSentCounts) {
  says(Role::User, "I am Ida");
  index_.body = body_;
  request_ = Request(index_);
  request_.texts()[0].set("I am [PERSON]");
  std::string joined;
  EXPECT_EQ(question_of(request_, joined), "I am [PERSON]");
}

TEST_F(Asked, WhatStandsAroundItIsTheConversation) {
  says(Role::System, std::string(5'000, 's'));  // the same for every question
  says(Role::User, "Where is Oslo?");
  const ChatShape alone = shape();
  EXPECT_EQ(alone.bytes, alone.question.size());
  EXPECT_EQ(alone.turns, 1u);

  says(Role::Assistant, std::string(98, 'a'));
  says(Role::User, "And Bergen?");
  index_.has_tools = true;
  const ChatShape longer = shape();
  EXPECT_EQ(longer.question, "And Bergen?");
  EXPECT_EQ(longer.bytes, longer.question.size() + 100 + 16);  // with their quotes
  EXPECT_EQ(longer.turns, 2u);
  EXPECT_TRUE(longer.tools);
}

}  // namespace
}  // namespace causeway::routing
