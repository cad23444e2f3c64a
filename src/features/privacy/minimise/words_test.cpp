#include "features/privacy/minimise/words.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::minimise {
namespace {

std::vector<std::uint64_t> words(std::string_view text) {
  std::vector<std::uint64_t> all;
  std::uint64_t word = 0;
  for (Words in(text); in.next(word);) all.push_back(word);
  return all;
}

TEST(Words, AreRunsOfLettersAndDigits) {
  EXPECT_EQ(words("The order A-4711, please!").size(), 5u);
  EXPECT_TRUE(words(" \n ... --- ").empty());
  EXPECT_TRUE(words("").empty());
}

TEST(Words, HaveNoCaseAndNoAccents) {
  EXPECT_EQ(words("Élan MÜLLER Straße"), words("elan muller straße"));
  EXPECT_EQ(words("re\xCC\x81sume\xCC\x81"), words("résumé")) << "accents that stand apart";
  EXPECT_EQ(words("ПРИВЕТ"), words("привет"));
  EXPECT_NE(words("cat"), words("dog"));
}

TEST(Words, FormsOfOneWordAreOneWord) {
  EXPECT_EQ(words("invoice"), words("invoices"));
  EXPECT_EQ(words("Rechnung"), words("Rechnungen"));
  EXPECT_NE(words("1234567"), words("1234568")) << "numbers count whole";
  EXPECT_NE(words("ORDER17a"), words("ORDER17b"));
}

TEST(Words, ScriptsWithoutSpacesGivePairs) {
  EXPECT_EQ(words("東京都").size(), 2u);
  EXPECT_EQ(words("東京")[0], words("大東京")[1]);
  EXPECT_EQ(words("abc東京def").size(), 3u);
  EXPECT_EQ(words("서울 시청").size(), 2u) << "Korean has spaces";
}

TEST(Words, BrokenBytesSeparate) {
  EXPECT_EQ(words("ab\xFF\xFE"
                  "cd")
                .size(),
            2u);
  EXPECT_EQ(words(std::string_view("ab\0cd", 5)).size(), 2u);
}

}  // namespace
}  // namespace causeway::minimise
