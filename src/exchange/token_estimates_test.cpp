#include "exchange/token_estimates.h"

#include <gtest/gtest.h>

namespace causeway::exchange {
namespace {

TEST(TokenEstimates, BeginsWithTheUsualMean) {
  const TokenEstimates estimates;
  EXPECT_EQ(estimates.tokens("a/m", 400), 101u);
  EXPECT_EQ(estimates.tokens("a/m", 0), 1u);
}

TEST(TokenEstimates, LearnsFromEachTargetApart) {
  TokenEstimates estimates;
  for (int i = 0; i < 50; ++i) estimates.learn("a/m", 2000, 1000);
  EXPECT_NEAR(estimates.bytes_per_token("a/m"), 2, 0.01);
  EXPECT_NEAR(estimates.bytes_per_token("b/m"), 4, 0.01);
  for (int i = 0; i < 100; ++i) estimates.learn("a/m", 3000, 1000);
  EXPECT_NEAR(estimates.bytes_per_token("a/m"), 3, 0.05) << "it follows a change";
}

TEST(TokenEstimates, WhatTeachesNothingIsLeftAlone) {
  TokenEstimates estimates;
  estimates.learn("a/m", 40, 10);        // too short
  estimates.learn("a/m", 100'000, 100);  // pictures, or another count
  estimates.learn("a/m", 10, 1000);
  EXPECT_EQ(estimates.bytes_per_token("a/m"), 4);
}

TEST(TokenEstimates, IsBounded) {
  TokenEstimates estimates;
  for (int i = 0; i < 5000; ++i) estimates.learn("t" + std::to_string(i), 2000, 1000);
  int known = 0;
  for (int i = 0; i < 5000; ++i) known += estimates.bytes_per_token("t" + std::to_string(i)) == 2;
  EXPECT_LE(known, 1024);
}

}  // namespace
}  // namespace causeway::exchange
