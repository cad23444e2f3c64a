// What a limit may not say.
#include "features/traffic/limits/config.h"

#include <gtest/gtest.h>

#include "platform/config/config.h"

namespace causeway::limits {
namespace {

std::string told(const std::string& text) {
  const config::Registry registry;
  config::Problems problems("f");
  (void)config::Schema<LimitConfig>(registry).read(text, problems);
  return problems.text();
}

TEST(LimitConfig, UnpricedIsForMoney) {
  EXPECT_EQ(told("{ money: 5, each: day, unpriced: refuse }"), "");
  EXPECT_NE(told("{ requests: 5, window: 1m, unpriced: refuse }").find("counts no money"),
            std::string::npos);
  EXPECT_NE(told("{ concurrent: 5, unpriced: refuse }").find("counts no money"), std::string::npos);
  EXPECT_EQ(told("{ requests: 5, window: 1m, unpriced: allow }"), "");
}

TEST(LimitConfig, AllStandsAlone) {
  EXPECT_EQ(told("{ per: all, requests: 5, window: 1m }"), "");
  EXPECT_EQ(told("{ per: [all], requests: 5, window: 1m }"), "");
  EXPECT_NE(told("{ per: [all, user], requests: 5, window: 1m }").find("`all` stands alone"),
            std::string::npos);
}

TEST(LimitConfig, WindowAndEachAreTwoWays) {
  EXPECT_NE(told("{ requests: 5, window: 1m, each: day }").find("only one of them may stand"),
            std::string::npos);
  EXPECT_NE(told("{ requests: 5 }").find("must say `window`"), std::string::npos);
}

}  // namespace
}  // namespace causeway::limits
