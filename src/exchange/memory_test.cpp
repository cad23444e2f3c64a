// What an exchange has of its answer in memory is taken from the core's budget, and ends it where
// there is no room.
#include <gtest/gtest.h>

#include "exchange/testing/fakes.h"

namespace causeway::exchange {
namespace {

using testing::chunk;
using testing::chunk_end;
using testing::completion;
using testing::FakeStream;
using testing::Script;
using testing::World;

constexpr std::size_t kLarge = 200'000;
constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kAsk = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kAskStream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";
// Of Anthropic's dialect, while the target speaks OpenAI's.
constexpr const char* kMessages =
    R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]})";

Script events(std::vector<std::string> pieces) {
  return {.fields = {{"content-type", "text/event-stream"}}, .pieces = std::move(pieces)};
}

/// What was held when each piece was asked for.
std::vector<std::size_t> held_at_each_piece(const char* path, const char* body,
                                            std::vector<std::string> pieces) {
  World world;
  FakeStream stream(http::Method::Post, path, body);
  std::vector<std::size_t> held;
  Script script = events(std::move(pieces));
  script.before_piece = [&](std::size_t) { held.push_back(stream.held); };
  world.client.scripts.push_back(std::move(script));
  world.serve(stream);
  EXPECT_TRUE(stream.finished);
  return held;
}

TEST(Memory, OfAnOrdinaryStreamIsNotCounted) {
  for (const auto& [path, body] : {std::pair{kChat, kAskStream}, {"/v1/messages", kMessages}}) {
    for (const std::size_t held :
         held_at_each_piece(path, body, {chunk("a"), chunk("b"), chunk_end()})) {
      EXPECT_EQ(held, 0u);
    }
  }
}

TEST(Memory, OfALargeEventIsHeldUntilTheNextPiece) {
  const std::string large = chunk(std::string(kLarge, 'x'));
  const std::size_t half = large.size() / 2;
  for (const auto& [path, body] : {std::pair{kChat, kAskStream}, {"/v1/messages", kMessages}}) {
    const auto held = held_at_each_piece(
        path, body,
        {chunk("a"), large.substr(0, half), large.substr(half), chunk("b"), chunk_end()});
    ASSERT_GE(held.size(), 5u);
    EXPECT_EQ(held[1], 0u);
    EXPECT_GE(held[2], half) << "the first half waits for the second";
    EXPECT_GE(held[3], kLarge) << "it may still be on its way to the caller";
    EXPECT_EQ(held[4], 0u) << path;
  }
}

TEST(Memory, WhereAStreamFindsNoRoomItEndsWithAnError) {
  for (const auto& [path, body] : {std::pair{kChat, kAskStream}, {"/v1/messages", kMessages}}) {
    World world;
    FakeStream stream(http::Method::Post, path, body);
    stream.budget = kLarge / 2;
    const std::string large = chunk(std::string(kLarge, 'x'));
    world.client.scripts.push_back(events(
        {chunk("first"), large.substr(0, kLarge / 2), large.substr(kLarge / 2), chunk_end()}));
    world.serve(stream);
    EXPECT_EQ(stream.status, 200);
    EXPECT_NE(stream.body.find("first"), std::string::npos);
    EXPECT_NE(stream.body.find("error"), std::string::npos);
    EXPECT_EQ(stream.body.find("[DONE]"), std::string::npos);
    EXPECT_EQ(stream.body.find("message_stop"), std::string::npos);
    EXPECT_EQ(world.client.sent.size(), 1u);
  }
}

TEST(Memory, WhereAWholeAnswerFindsNoRoomItIsRefusedAndNobodyElseIsAsked) {
  for (const auto& [path, body] : {std::pair{kChat, kAsk}, {"/v1/messages", kMessages}}) {
    World world;
    std::string question = body;
    if (const auto at = question.find("\"stream\":true,"); at != std::string::npos) {
      question.erase(at, 14);
    }
    FakeStream stream(http::Method::Post, path, question);
    stream.budget = kLarge / 2;
    world.client.scripts.push_back({.pieces = {completion(std::string(kLarge, 'x'))}});
    world.client.scripts.push_back({.pieces = {completion("of the other target")}});
    world.serve(stream);
    EXPECT_EQ(stream.status, 503);
    EXPECT_EQ(stream.fields["retry-after"], "1");
    EXPECT_EQ(world.client.sent.size(), 1u);
  }
}

TEST(Memory, OfATranslatedRequestCountsToo) {
  World world;
  const std::string text(kLarge, 'x');
  FakeStream stream(
      http::Method::Post, "/v1/messages",
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":")" + text + R"("}]})");
  stream.budget = kLarge / 2;
  world.serve(stream);
  EXPECT_EQ(stream.status, 503);
  EXPECT_TRUE(world.client.sent.empty());
}

}  // namespace
}  // namespace causeway::exchange
