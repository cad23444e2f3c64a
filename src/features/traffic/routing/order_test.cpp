#include "features/traffic/routing/order.h"

#include <gtest/gtest.h>

#include <map>

namespace causeway::routing {
namespace {

Model model_of(Strategy strategy, std::vector<double> weights) {
  Model model;
  model.strategy = strategy;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Target target;
    target.name = std::string(1, static_cast<char>('a' + i));
    target.weight = weights[i];
    model.targets.push_back(target);
  }
  return model;
}

TEST(Order, FallbackKeepsTheListedOrder) {
  const auto model = model_of(Strategy::Fallback, {1, 5, 3});
  std::vector<const Target*> order;
  order_targets(model, 7, order);
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order[0]->name, "a");
  EXPECT_EQ(order[2]->name, "c");
}

TEST(Order, WeightedDrawsTheFirstByItsShareAndKeepsTheOthersAsFallbacks) {
  const auto model = model_of(Strategy::Weighted, {1, 3, 0});
  std::map<std::string, int> first;
  std::vector<const Target*> order;
  constexpr int kDraws = 20'000;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    order_targets(model, draw, order);
    ASSERT_EQ(order.size(), 3u);
    ++first[order[0]->name];
  }
  EXPECT_EQ(first["c"], 0);
  EXPECT_NEAR(first["b"], kDraws * 0.75, kDraws * 0.02);
  EXPECT_NEAR(first["a"], kDraws * 0.25, kDraws * 0.02);
}

}  // namespace
}  // namespace causeway::routing
