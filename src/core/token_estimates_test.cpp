#include "core/token_estimates.h"

#include <gtest/gtest.h>

namespace causeway {
namespace {

constexpr std::uint64_t kOne = 0x1234'5678'9abc'def0, kOther = kOne + 1;

TEST(TokenEstimates, BeginsWithTheUsualMean) {
  const TokenEstimates estimates;
  EXPECT_EQ(estimates.tokens(kOne, 400), 101u);
  EXPECT_EQ(estimates.tokens(kOne, 0), 1u);
}

TEST(TokenEstimates, LearnsFromEachTargetApart) {
  TokenEstimates estimates;
  for (int i = 0; i < 50; ++i) estimates.learn(kOne, 2000, 1000);
  EXPECT_NEAR(estimates.bytes_per_token(kOne), 2, 0.01);
  EXPECT_NEAR(estimates.bytes_per_token(kOther), 4, 0.01);
  for (int i = 0; i < 100; ++i) estimates.learn(kOne, 3000, 1000);
  EXPECT_NEAR(estimates.bytes_per_token(kOne), 3, 0.05) << "it follows a change";
}

TEST(TokenEstimates, WhatTeachesNothingIsLeftAlone) {
  TokenEstimates estimates;
  estimates.learn(kOne, 40, 10);        // too short
  estimates.learn(kOne, 100'000, 100);  // pictures, or another count
  estimates.learn(kOne, 10, 1000);
  EXPECT_EQ(estimates.bytes_per_token(kOne), 4);
}

TEST(TokenEstimates, OfTwoTargetsInOnePlaceTheLastOneIsKnown) {
  TokenEstimates estimates;
  constexpr std::uint64_t kSamePlace = kOne + (std::uint64_t{1} << 32);
  estimates.learn(kOne, 2000, 1000);
  EXPECT_EQ(estimates.bytes_per_token(kSamePlace), 4);
  estimates.learn(kSamePlace, 3000, 1000);
  EXPECT_EQ(estimates.bytes_per_token(kSamePlace), 3);
  EXPECT_EQ(estimates.bytes_per_token(kOne), 4);
}

TEST(TokenEstimates, ATargetWithoutANameKnowsTheUsualMean) {
  EXPECT_EQ(TokenEstimates().bytes_per_token(0), 4);
}

}  // namespace
}  // namespace causeway
