#include "features/traffic/overload/config.h"

#include <gtest/gtest.h>

#include "platform/config/config.h"

namespace causeway::overload {
namespace {

OverloadSettings read(const std::string& text, std::string& told) {
  const config::Registry registry;
  config::Problems problems("f");
  auto settings = config::Schema<OverloadSettings>(registry).read(text, problems);
  told = problems.text();
  return settings;
}

TEST(OverloadConfig, ASectionThatDoesNotSayItIsOn) {
  std::string told;
  EXPECT_TRUE(read("{ concurrency: { gpu/large: 16 } }", told).on);
  EXPECT_FALSE(read("{ on: false, wait: 5s }", told).on);
  EXPECT_FALSE(OverloadSettings().on);
  EXPECT_EQ(told, "");
}

TEST(OverloadConfig, LeastIsNotAboveMost) {
  std::string told;
  read("{ least: 10, most: 5 }", told);
  EXPECT_NE(told.find("`least` (10) is above `most` (5)"), std::string::npos) << told;
  read("{ most: 3 }", told);
  EXPECT_NE(told.find("`least` (4) is above `most` (3)"), std::string::npos) << told;
  read("{ least: 5, most: 5 }", told);
  EXPECT_EQ(told, "");
}

}  // namespace
}  // namespace causeway::overload
