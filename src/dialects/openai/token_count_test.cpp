#include "dialects/openai/token_count.h"

#include <gtest/gtest.h>

#include "platform/bpe/vocabulary.h"

namespace causeway::openai {
namespace {

/// Every byte is a token.
bpe::Vocabulary bytes_alone() {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = 0; byte < 256; ++byte) {
    file += {kDigits[byte >> 2], kDigits[(byte & 3) << 4], '=', '=', ' '};
    file += std::to_string(byte) + '\n';
  }
  return bpe::Vocabulary::parse(file, bpe::Cuts::O200k).value();
}

TEST(TokenCount, KnowsTheVocabularyOfAModel) {
  EXPECT_EQ(vocabulary_of("gpt-4o-mini-2024-07-18"), "o200k_base");
  EXPECT_EQ(vocabulary_of("gpt-4.1"), "o200k_base");
  EXPECT_EQ(vocabulary_of("o3-mini"), "o200k_base");
  EXPECT_EQ(vocabulary_of("gpt-4-turbo"), "cl100k_base");
  EXPECT_EQ(vocabulary_of("ft:gpt-3.5-turbo:me"), "cl100k_base");
  EXPECT_EQ(vocabulary_of("llama-3"), "");
  EXPECT_EQ(vocabulary_of(""), "");
}

TEST(TokenCount, AddsWhatTheChatFormAdds) {
  const auto vocabulary = bytes_alone();
  Chat chat;
  EXPECT_EQ(count_tokens(chat, "gpt-4o", vocabulary).tokens, 3u);
  chat.messages.emplace_back().parts.emplace_back().text = "four";
  auto count = count_tokens(chat, "gpt-4o", vocabulary);
  EXPECT_EQ(count.tokens, 3u + 4 + 4);
  EXPECT_TRUE(count.exact);
  chat.messages[0].name = "me";
  EXPECT_EQ(count_tokens(chat, "gpt-4", vocabulary).tokens, 3u + 4 + 4 + 1 + 2);
}

TEST(TokenCount, SaysWhatIsOnlyNear) {
  const auto vocabulary = bytes_alone();
  Chat chat;
  chat.messages.emplace_back().parts.emplace_back().text = "four";
  EXPECT_FALSE(count_tokens(chat, "gpt-4.1", vocabulary).exact);
  EXPECT_FALSE(count_tokens(chat, "gpt-5", vocabulary).exact);
  Chat tools = chat;
  tools.tools.emplace_back().name = "tool";
  EXPECT_FALSE(count_tokens(tools, "gpt-4o", vocabulary).exact);
  EXPECT_GT(count_tokens(tools, "gpt-4o", vocabulary).tokens, 11u);
  chat.messages[0].parts.emplace_back().kind = ChatPart::Kind::Image;
  EXPECT_FALSE(count_tokens(chat, "gpt-4o", vocabulary).exact);
}

}  // namespace
}  // namespace causeway::openai
