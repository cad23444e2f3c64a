#include "features/traffic/faq/vectors.h"

#include <gtest/gtest.h>

#include <cmath>

namespace causeway::faq {
namespace {

EntryPtr entry(std::string id, std::vector<std::string> questions, std::string tenant = "",
               std::int64_t version = 1) {
  auto made = std::make_shared<Entry>();
  made->questions = std::move(questions);
  made->answer = "a";
  made->tenant = std::move(tenant);
  made->id = std::move(id);
  made->version = version;
  return made;
}

VectorPtr unit(float x, float y) {
  const float length = std::sqrt(x * x + y * y);
  return std::make_shared<const Vector>(Vector{x / length, y / length});
}

std::string ids(const std::vector<Near>& near) {
  std::string all;
  for (const Near& one : near) all += one.entry->id;
  return all;
}

const Vector kEast{1, 0};

TEST(Vectors, TheNearestFirst) {
  const FaqTable table({entry("a", {"a1", "a2"}), entry("b", {"b"}), entry("c", {"c"})});
  const Vectors vectors(
      table, {{"a1", unit(0, 1)}, {"a2", unit(10, 1)}, {"b", unit(2, 1)}, {"c", unit(-1, 0)}});
  EXPECT_EQ(vectors.rows(), 4u);
  const auto near = vectors.nearest(kEast, table, {}, -1, 9);
  EXPECT_EQ(ids(near), "abc") << "each entry by its nearest wording";
  EXPECT_NEAR(near[1].similarity, 0.894, 0.001);
  EXPECT_EQ(ids(vectors.nearest(kEast, table, {}, 0.9, 9)), "a");
  EXPECT_EQ(ids(vectors.nearest(kEast, table, {}, -1, 2)), "ab");
  EXPECT_EQ(ids(vectors.nearest(Vector{1, 0, 0}, table, {}, -1, 9)), "") << "another model's";
}

TEST(Vectors, OnlyWhatIsServedNow) {
  const FaqTable table({entry("a", {"a"}, "x"), entry("b", {"b"}), entry("c", {"c"})});
  const Vectors vectors(table, {{"a", unit(1, 0)}, {"b", unit(1, 0)}, {"c", unit(1, 0)}});
  EXPECT_EQ(ids(vectors.nearest(kEast, table, {.tenant = "y"}, 0.5, 9)), "bc");
  EXPECT_EQ(ids(vectors.nearest(kEast, table, {.tenant = "x"}, 0.5, 9)), "abc");
  const FaqTable newer({entry("b", {"something else"}, "", 2), entry("a", {"a"}, "x")});
  EXPECT_EQ(ids(vectors.nearest(kEast, newer, {.tenant = "x"}, 0.5, 9)), "a")
      << "changed and removed since";
}

TEST(Vectors, OfAnotherSizeAreLeftOut) {
  const FaqTable table({entry("a", {"a"}), entry("b", {"b"})});
  const Vectors vectors(table, {{"a", unit(1, 0)}, {"b", std::make_shared<const Vector>(3, 1.f)}});
  EXPECT_EQ(vectors.rows(), 1u);
}

TEST(Embeddings, AreReadInTheirOrderAndMadeUnitLength) {
  const auto read = read_embeddings(
      R"({"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]})", 2);
  ASSERT_TRUE(read);
  EXPECT_FLOAT_EQ((*read)[0][0], 0.6f);
  EXPECT_FLOAT_EQ((*read)[1][1], 1.0f);
}

TEST(Embeddings, WhatIsNoneIsAnError) {
  for (const char* body :
       {"", "{}", R"({"data":[]})", R"({"data":[{"embedding":"AAAA"}]})",
        R"({"data":[{"embedding":[]}]})", R"({"data":[{"embedding":[0,0]}]})",
        R"({"data":[{"embedding":["1"]}]})", R"({"data":[{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":-1,"embedding":[1]}]})",
        R"({"data":[{"embedding":[1]},{"embedding":[1]}]})"}) {
    const auto read = read_embeddings(body, 1);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, "faq_embeddings");
  }
  EXPECT_FALSE(read_embeddings(R"({"data":[{"embedding":[1]},{"embedding":[1,2]}]})", 2));
}

TEST(Embeddings, Request) {
  const std::string_view inputs[] = {"a \"b\"", "c"};
  EXPECT_EQ(embeddings_body("m", inputs),
            R"({"model":"m","input":["a \"b\"","c"],"encoding_format":"float"})");
}

}  // namespace
}  // namespace causeway::faq
