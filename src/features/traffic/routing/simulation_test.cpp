#include "features/traffic/routing/testing/simulation.h"

#include <gtest/gtest.h>

#include <cstdio>

// docs/routing.md quotes what these print, an hour each:
// features_traffic_routing_test --gtest_filter='RoutingSimulation*'
namespace causeway::routing::testing {
namespace {

using Kind = Trouble::Kind;
using Told = Simulation::Told;

struct RoutingSimulation : ::testing::Test {
  std::vector<Server> servers = std::vector<Server>(4);  // 16 requests a second each
  double rate = 45;
  std::size_t prefixes = 0;

  void SetUp() override {
    const char* names[] = {"a", "b", "c", "d"};
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i].name = names[i];
  }
  Told run(std::optional<Strategy> strategy) {
    Simulation simulation(strategy);
    simulation.servers = servers;
    simulation.rate = rate;
    simulation.prefixes = prefixes;
    simulation.run(3600);
    const Told& told = simulation.told();
    std::printf("| %-11s | %6.2f s | %6.2f s | %5.2f %% | %5.2f | %5.2f %% |",
                strategy ? to_string(*strategy).data() : "round robin", told.p(0.5), told.p(0.99),
                100 * part(told.errors, told.requests), told.calls_each(),
                100 * part(told.limited, told.calls));
    for (const auto share : told.shares) std::printf(" %2.0f", 100 * part(share, told.calls));
    std::printf(" |\n");
    return told;
  }
  static double part(std::uint64_t of, std::uint64_t all) {
    return static_cast<double>(of) / static_cast<double>(all);
  }
};

TEST_F(RoutingSimulation, EqualServers) {
  const Told plain = run(std::nullopt);
  for (const auto strategy : {Strategy::Weighted, Strategy::LeastBusy, Strategy::Fastest}) {
    const Told told = run(strategy);
    EXPECT_LT(told.p(0.5), 1.6 * plain.p(0.5)) << to_string(strategy);
    EXPECT_LT(told.p(0.99), 1.2 * plain.p(0.99)) << to_string(strategy);
    EXPECT_EQ(told.errors, 0u);
  }
}

TEST_F(RoutingSimulation, OneIsAThirdAsFastAndOneTwice) {
  servers[0].seconds = 1.5;
  servers[3].seconds = 0.25;
  rate = 30;
  const Told plain = run(std::nullopt);
  for (const auto strategy : {Strategy::LeastBusy, Strategy::Fastest}) {
    const Told told = run(strategy);
    EXPECT_LT(told.p(0.5), 0.4) << to_string(strategy);
    EXPECT_LT(told.p(0.99), 2.5) << to_string(strategy);
    EXPECT_LT(told.p(0.99), plain.p(0.99) / 5) << to_string(strategy);
    EXPECT_EQ(told.errors, 0u);
  }
}

TEST_F(RoutingSimulation, OneIsTwentyTimesSlowerForTenMinutes) {
  servers[0].troubles = {{Kind::Slow, 600, 1200, 20}};
  rate = 35;
  const Told plain = run(std::nullopt);
  for (const auto strategy : {Strategy::LeastBusy, Strategy::Fastest}) {
    const Told told = run(strategy);
    EXPECT_LT(told.p(0.99), 3) << to_string(strategy);
    EXPECT_LT(told.p(0.99), plain.p(0.99) / 10) << to_string(strategy);
    EXPECT_EQ(told.errors, 0u);
  }
}

// Most of the time something is wrong with two of four; the fourth is always well.
TEST_F(RoutingSimulation, BadDays) {
  servers[0].troubles = {{Kind::Down, 300, 900}, {Kind::Errors, 1500, 2100, 0.6}};
  servers[1].troubles = {{Kind::Hangs, 600, 1200}, {Kind::Slow, 2400, 3000, 20}};
  servers[2].troubles = {{Kind::Errors, 900, 1500, 1}, {Kind::Down, 2100, 2400}};
  rate = 12;
  run(std::nullopt);
  for (const auto strategy : {Strategy::Fallback, Strategy::LeastBusy, Strategy::Fastest}) {
    const Told told = run(strategy);
    EXPECT_EQ(told.errors, 0u) << to_string(strategy);
    EXPECT_LT(told.calls_each(), 1.05) << to_string(strategy);
    // At most one timeout, then an answer; where all change at once to one target, behind a line.
    const bool all_at_once = strategy == Strategy::Fallback;
    EXPECT_LT(told.p(1), 30 + (all_at_once ? 25 : 10)) << to_string(strategy);
    EXPECT_LT(told.p(0.99), all_at_once ? 32 : 4) << to_string(strategy);
  }
}

TEST_F(RoutingSimulation, TwoHaveAQuota) {
  for (auto& server : servers) server.places = 16;
  servers[0].requests_per_minute = servers[1].requests_per_minute = 300;
  rate = 35;
  const Told plain = run(std::nullopt);
  const Told learnt = run(Strategy::LeastBusy);
  for (auto& server : servers) server.quota_known = true;
  const Told known = run(Strategy::LeastBusy);
  EXPECT_LT(learnt.limited, plain.limited / 2) << "who says when is left alone until then";
  EXPECT_LT(known.limited, plain.limited / 100) << "kept here, so that it need not refuse";
  EXPECT_EQ(known.errors + learnt.errors, 0u);
  EXPECT_LT(known.p(0.99), 1.1 * plain.p(0.99));
}

TEST_F(RoutingSimulation, ServersThatRememberBeginnings) {
  prefixes = 400;
  for (auto& server : servers) server.prefixes = 100;
  const Told plain = run(std::nullopt);
  const Told told = run(Strategy::Prefix);
  EXPECT_LT(told.p(0.5), 0.8 * plain.p(0.5));
  EXPECT_LT(told.p(0.99), 0.85 * plain.p(0.99));
}

}  // namespace
}  // namespace causeway::routing::testing
