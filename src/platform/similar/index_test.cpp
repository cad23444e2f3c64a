// The index that looks at all, against plain arithmetic; the graph against that index.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "platform/similar/matcher.h"

namespace causeway::similar {
namespace {

constexpr std::size_t kSize = 384;
using Vector = std::vector<float>;

class Vectors {
 public:
  Vector any() {
    Vector vector(kSize);
    for (float& x : vector) x = normal_(random_);
    return vector;
  }
  /// Near to one: as a paraphrase is to a question.
  Vector near(const Vector& to, float by) {
    Vector vector = to;
    for (float& x : vector) x += by * normal_(random_);
    return vector;
  }

 private:
  std::mt19937 random_{7};
  std::normal_distribution<float> normal_;
};

double cosine(const Vector& a, const Vector& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

TEST(FlatIndex, FindsWhatPlainArithmeticFinds) {
  Vectors vectors;
  std::vector<Vector> all;
  FlatIndex index(kSize, 500);
  for (std::size_t i = 0; i < 500; ++i) {
    all.push_back(i % 5 == 0 || i < 5 ? vectors.any() : vectors.near(all[i - i % 5], 0.4F));
    ASSERT_TRUE(index.add(i, 0, all.back()));
  }
  FlatIndex plain = index;
  plain.use_plain();
  for (std::size_t i = 0; i < 50; ++i) {
    const auto asked = vectors.near(all[i * 10], 0.5F);
    std::vector<std::pair<double, std::uint64_t>> expected;
    for (std::size_t k = 0; k < all.size(); ++k) expected.emplace_back(-cosine(asked, all[k]), k);
    std::ranges::sort(expected);
    for (const auto* one : {&index, &plain}) {
      const auto found = one->find(asked, 0, -1, 6);
      ASSERT_EQ(found.size(), 6u);
      for (std::size_t k = 0; k < found.size(); ++k) {
        EXPECT_EQ(found[k].id, expected[k].second);
        EXPECT_NEAR(found[k].similarity, -expected[k].first, 1e-5);
      }
      EXPECT_TRUE(one->find(asked, 0, static_cast<float>(-expected[0].first) + 1e-4F, 6).empty());
    }
  }
}

TEST(FlatIndex, KeepsScopesApart) {
  Vectors vectors;
  const auto one = vectors.any();
  FlatIndex index(kSize, 10);
  ASSERT_TRUE(index.add(1, 100, one));
  EXPECT_EQ(index.find(one, 100, 0.9F, 1).size(), 1u);
  EXPECT_TRUE(index.find(one, 101, 0.9F, 1).empty());
}

TEST(FlatIndex, RefusesWhatItCannotTake) {
  FlatIndex index(4, 2);
  EXPECT_FALSE(index.add(1, 0, Vector{1, 2, 3}));
  EXPECT_FALSE(index.add(1, 0, Vector{0, 0, 0, 0}));
  EXPECT_FALSE(index.add(1, 0, Vector{1, NAN, 0, 0}));
  EXPECT_FALSE(index.add(1, 0, Vector{1, INFINITY, 0, 0}));
  EXPECT_TRUE(index.add(1, 0, Vector{1, 0, 0, 0}));
  EXPECT_TRUE(index.add(2, 0, Vector{0, 1, 0, 0}));
  EXPECT_FALSE(index.add(3, 0, Vector{0, 0, 1, 0}));
  EXPECT_TRUE(index.add(2, 0, Vector{0, 0, 1, 0}));  // another vector for one that is there
  EXPECT_TRUE(index.find(Vector{0, 1, 0, 0}, 0, 0.5F, 1).empty());
  EXPECT_EQ(index.find(Vector{0, 0, 2, 0}, 0, 0.5F, 1).at(0).id, 2u);
  EXPECT_EQ(index.size(), 2u);
}

template <class Index>
void removes() {
  Vectors vectors;
  std::vector<Vector> all;
  Index index(kSize, 100);
  for (std::uint64_t i = 0; i < 100; ++i) {
    all.push_back(vectors.any());
    ASSERT_TRUE(index.add(i, 0, all.back()));
  }
  EXPECT_FALSE(index.add(100, 0, vectors.any()));
  for (std::uint64_t i = 0; i < 100; i += 2) EXPECT_TRUE(index.remove(i));
  EXPECT_FALSE(index.remove(0));
  EXPECT_EQ(index.size(), 50u);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(index.find(all[i], 0, 0.9F, 1).size(), i % 2) << i;
  }
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_TRUE(index.add(1'000 + i, 0, all[2 * i])) << i;
  EXPECT_FALSE(index.add(2'000, 0, vectors.any()));
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto found = index.find(all[2 * i], 0, 0.9F, 1);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].id, 1'000 + i);
  }
}

TEST(FlatIndex, RemovesAndTakesOthersInstead) { removes<FlatIndex>(); }
TEST(GraphIndex, RemovesAndTakesOthersInstead) { removes<GraphIndex>(); }

TEST(GraphIndex, FindsTheNearestAlmostAlways) {
  Vectors vectors;
  constexpr std::size_t kEntries = 1'200;
  FlatIndex flat(kSize, kEntries);
  GraphIndex graph(kSize, kEntries);
  std::vector<Vector> all;
  for (std::size_t i = 0; i < kEntries; ++i) {
    all.push_back(i % 4 == 0 ? vectors.any() : vectors.near(all[i - i % 4], 0.5F));
    ASSERT_TRUE(flat.add(i, 0, all.back()));
    ASSERT_TRUE(graph.add(i, 0, all.back()));
  }
  int same = 0;
  constexpr int kAsked = 90;
  for (int i = 0; i < kAsked; ++i) {
    const auto asked = vectors.near(all[static_cast<std::size_t>(i) * 13], 0.4F);
    const auto exact = flat.find(asked, 0, 0.5F, 1), near = graph.find(asked, 0, 0.5F, 1);
    ASSERT_EQ(exact.size(), 1u);
    same += !near.empty() && near[0].id == exact[0].id;
    if (!near.empty()) {
      EXPECT_LE(near[0].similarity, exact[0].similarity + 1e-5F);
    }
  }
  EXPECT_GE(same, kAsked * 97 / 100);
  RecordProperty("found_of_90", same);
}

TEST(GraphIndex, KeepsScopesApart) {
  Vectors vectors;
  const auto one = vectors.any();
  GraphIndex index(kSize, 10);
  ASSERT_TRUE(index.add(1, 100, one));
  EXPECT_EQ(index.find(one, 100, 0.9F, 1).size(), 1u);
  EXPECT_TRUE(index.find(one, 101, 0.9F, 1).empty());
}

TEST(Matcher, TakesTheNearestThatTheGateLetsPass) {
  Vectors vectors;
  const auto vector = vectors.any();
  for (const std::size_t capacity : {std::size_t{10}, kMostFlat + 1}) {
    Matcher matcher(kSize, capacity);
    const auto enable = read_question("How do I enable dark mode?");
    ASSERT_TRUE(matcher.add(1, 0, read_question("How do I disable dark mode?"), vector));
    EXPECT_FALSE(matcher.find(enable, 0, vector, 0.8F));
    ASSERT_TRUE(matcher.add(2, 0, enable, vectors.near(vector, 0.3F)));
    const auto found = matcher.find(read_question("Please enable dark mode"), 0, vector, 0.8F);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, 2u);
    EXPECT_FALSE(matcher.find(enable, 1, vector, 0.8F));
    EXPECT_TRUE(matcher.remove(2));
    EXPECT_FALSE(matcher.find(enable, 0, vector, 0.8F));
    EXPECT_EQ(matcher.size(), 1u);
    EXPECT_FALSE(matcher.add(3, 0, read_question(""), vector));
  }
}

}  // namespace
}  // namespace causeway::similar
