#include "features/privacy/minimise/relevance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace causeway::minimise {
namespace {

using Texts = std::vector<std::vector<std::string_view>>;

std::vector<double> scores(const Texts& texts, std::string_view question) {
  const std::string_view parts[] = {question};
  return relevance(texts, parts);
}

TEST(Relevance, TheFormulaIsTheSources) {
  // By hand: N = 3, "apple" in two texts, lengths 1, 2 and 3, the mean is 2.
  const auto found = scores({{"apple"}, {"apple pear"}, {"plum cherry fig"}}, "apple");
  const auto bm25 = [](double length) {
    const double idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5));
    return idf * 1 * 2.2 / (1 + 1.2 * (1 - 0.75 + 0.75 * length / 2));
  };
  EXPECT_DOUBLE_EQ(found[0], 1);
  EXPECT_DOUBLE_EQ(found[1], bm25(2) / bm25(1));
  EXPECT_EQ(found[2], 0);
}

TEST(Relevance, RareWordsCountForMore) {
  const auto found = scores({{"the order is late"}, {"the code of the door is 4711"}, {"the end"}},
                            "What is the code of the door?");
  EXPECT_EQ(found[1], 1);
  EXPECT_LT(found[0], 0.5);
  EXPECT_GT(found[0], 0) << "a word that most texts have still counts for something";
}

TEST(Relevance, PartsOfAMessageAreOneText) {
  const auto found = scores({{"red", "bicycle"}, {"red"}, {"blue"}}, "red bicycle");
  EXPECT_EQ(found[0], 1);
  EXPECT_EQ(found[2], 0);
}

TEST(Relevance, NothingAskedOrNothingThere) {
  EXPECT_TRUE(scores({}, "word").empty());
  EXPECT_EQ(scores({{"a"}, {""}}, "?!"), (std::vector<double>{0, 0}));
  EXPECT_EQ(scores({{""}, {""}}, "word"), (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace causeway::minimise
