#include "features/traffic/overload/testing/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace causeway::overload::testing {
namespace {

using Random = std::mt19937_64;
using std::chrono::milliseconds;

double about(Random& random) { return std::uniform_real_distribution<double>(0.9, 1.1)(random); }

// Always about as long.
Work even(Random& random) { return {.seconds = 0.2 * about(random)}; }

// Nothing that is known of a request says how long it takes.
Work any_length(Random& random) {
  return {.seconds = std::exponential_distribution<double>(5)(random)};
}

// Whole answers of a long-tailed length: a tenth of a second, and 10 ms for each token.
Work words(Random& random) {
  const double tokens = std::min(4000.0, std::lognormal_distribution<double>(4, 1)(random));
  return {.seconds = (0.1 + 0.01 * tokens) * about(random),
          .tokens = static_cast<std::uint64_t>(tokens)};
}

Work streamed(Random& random) {
  Work work = words(random);
  work.until_first = 0.1 * about(random);
  return work;
}

// Short prompts, and long ones that take ten times as long to be read.
Work prompts(Random& random) {
  Work work = streamed(random);
  if (random() % 4 == 0) {
    work.request_bytes *= 64;
    work.seconds += 9 * work.until_first;
    work.until_first *= 10;
  }
  return work;
}

struct Kind {
  const char* name;
  Work (*work)(Random&);
  double mean() const {
    Random random(7);
    double sum = 0;
    for (int i = 0; i < 20'000; ++i) sum += work(random).seconds;
    return sum / 20'000;
  }
};
constexpr Kind kEven{"even", even}, kAny{"any_length", any_length}, kWords{"words", words},
    kStreamed{"streamed", streamed}, kPrompts{"prompts", prompts};

enum class Loop : std::uint8_t { Open, Closed };

struct Case {
  Kind kind;
  Sharing sharing;
  Loop loop;
  unsigned known = 0;  // the server's capacity is: 0 = it has to be learnt
  double capacity = 16;
  double most_slower = 1.2, least_rate = 0.85;
};

class Flood : public ::testing::TestWithParam<Case> {};

// A polite tenant with a tenth of what the server can do, and one with fifty times of it.
TEST_P(Flood, DoesNotSlowAnotherTenantDown) {
  const Case& its = GetParam();
  const double mean = its.kind.mean(), full = its.capacity / mean;
  Simulation world;
  world.server = {.sharing = its.sharing, .capacity = its.capacity};
  world.settings.wait = milliseconds(static_cast<int>(10'000 * mean));
  if (its.known > 0) world.settings.concurrency = {{"*", {}, its.known}};
  const auto polite = world.add({.name = "polite", .rate = 0.1 * full, .work = its.kind.work});
  world.run(1500 * mean);
  const double alone = world.told(polite).p(0.99);
  // What shares its time is asked less, since its simulation takes long.
  const double times = its.sharing == Sharing::Slots ? 50 : 5;
  Tenant flood{.name = "flood", .retry = mean / 2, .work = its.kind.work};
  if (its.loop == Loop::Open) {
    flood.rate = times * full;
  } else {
    flood.callers = static_cast<int>(times * its.capacity);
  }
  const auto loud = world.add(flood);
  world.run(800 * mean);
  world.forget();
  world.run(1200 * mean);
  const auto& told = world.told(polite);
  std::printf("p99 %.0f ms alone, %.0f ms in the flood (%.2f); %.2f of the capacity; limit %.1f\n",
              1000 * alone, 1000 * told.p(0.99), told.p(0.99) / alone, world.rate() / full,
              world.view().limit);
  EXPECT_LE(told.p(0.99), its.most_slower * alone);
  EXPECT_GE(world.rate(), its.least_rate * full);
  EXPECT_EQ(told.refused + told.late, 0u);
  if (its.loop == Loop::Open) {
    EXPECT_GT(world.told(loud).refused, 0u);
  }
  const double wait = std::chrono::duration<double>(world.settings.wait).count();
  EXPECT_LE(world.told(loud).longest_wait, wait + 1e-6);
  EXPECT_GE(world.told(loud).least_retry_after, 0.9 * wait);
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const Case& its = info.param;
  return std::string(its.kind.name) + (its.sharing == Sharing::Slots ? "_slots" : "_time") +
         (its.loop == Loop::Open ? "_open_" : "_closed_") + (its.known > 0 ? "known_" : "learnt_") +
         std::to_string(static_cast<int>(its.capacity));
}

using enum Sharing;
using enum Loop;
INSTANTIATE_TEST_SUITE_P(
    Learnt, Flood,
    ::testing::Values(
        Case{kEven, Slots, Open}, Case{kEven, Slots, Closed}, Case{kEven, Time, Open},
        Case{kEven, Time, Closed},
        Case{.kind = kAny, .sharing = Slots, .loop = Open, .least_rate = 0.8},
        Case{.kind = kAny, .sharing = Slots, .loop = Closed, .least_rate = 0.8},
        Case{kWords, Slots, Open}, Case{kWords, Slots, Closed}, Case{kWords, Time, Open},
        Case{kWords, Time, Closed}, Case{kStreamed, Slots, Open}, Case{kStreamed, Slots, Closed},
        Case{kStreamed, Time, Open}, Case{kStreamed, Time, Closed}, Case{kPrompts, Slots, Open},
        Case{kPrompts, Time, Closed},
        Case{.kind = kWords, .sharing = Slots, .loop = Open, .capacity = 8, .least_rate = 0.8},
        Case{.kind = kStreamed, .sharing = Time, .loop = Closed, .capacity = 8}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Known, Flood,
    ::testing::Values(
        Case{.kind = kEven, .sharing = Slots, .loop = Open, .known = 16, .least_rate = 0.9},
        Case{.kind = kEven, .sharing = Slots, .loop = Closed, .known = 16, .least_rate = 0.9},
        Case{.kind = kEven, .sharing = Time, .loop = Closed, .known = 16, .least_rate = 0.9},
        Case{.kind = kAny, .sharing = Time, .loop = Open, .known = 16, .least_rate = 0.9},
        Case{.kind = kWords, .sharing = Slots, .loop = Open, .known = 16, .least_rate = 0.9},
        Case{.kind = kStreamed, .sharing = Time, .loop = Closed, .known = 16, .least_rate = 0.9},
        // One place of eight is much: with all answers equally long that is the price.
        Case{kEven, Slots, Open, 8, 8, 1.35, 0.87}),
    name_of);

// As many as there are callers: no queue anywhere.
class NothingSlow : public ::testing::TestWithParam<Kind> {};
TEST_P(NothingSlow, NobodyWaits) {
  const Kind kind = GetParam();
  const double mean = kind.mean();
  Simulation world;
  world.server.capacity = 1e6;
  const auto few = world.add({.name = "few", .rate = 3 / mean, .work = kind.work});
  world.run(300 * mean);
  const auto many = world.add({.name = "many", .rate = 500 / mean, .work = kind.work});
  world.run(100 * mean);
  const auto burst =
      world.add({.name = "burst", .callers = 1000, .think = mean, .work = kind.work});
  world.run(100 * mean);
  for (const auto each : {few, many, burst}) {
    EXPECT_EQ(world.told(each).longest_wait, 0);
    EXPECT_EQ(world.told(each).refused, 0u);
  }
  EXPECT_EQ(world.lowest_limit(), 100'000);
}
INSTANTIATE_TEST_SUITE_P(Kinds, NothingSlow,
                         ::testing::Values(kEven, kAny, kWords, kStreamed, kPrompts),
                         [](const auto& its) { return std::string(its.param.name); });

TEST(Overload, ALightLoadIsLeftAlone) {
  for (const Kind kind : {kEven, kAny, kWords, kStreamed, kPrompts}) {
    Simulation world;
    const auto polite = world.add({.name = "a", .rate = 3 / kind.mean(), .work = kind.work});
    world.run(20'000 * kind.mean());
    EXPECT_EQ(world.told(polite).longest_wait, 0) << kind.name;
  }
}

// Other answers and prompts than before, and as much room as before.
TEST(Overload, LongerAnswersAndPromptsAreNoQueue) {
  for (const bool whole : {true, false}) {
    Simulation world;
    world.server.capacity = 1e6;
    double longer = 1;
    const auto all = world.add({.name = "a", .rate = 60, .work = [&](Random& random) {
                                  Work work = whole ? words(random) : streamed(random);
                                  const double more = longer * double(work.tokens);
                                  work.seconds += 0.01 * (more - double(work.tokens));
                                  work.tokens = static_cast<std::uint64_t>(more);
                                  if (!whole) {
                                    work.request_bytes *= static_cast<std::size_t>(longer);
                                    work.seconds += (longer - 1) * work.until_first;
                                    work.until_first *= longer;
                                  }
                                  return work;
                                }});
    world.run(300);
    longer = 10;
    world.run(600);
    EXPECT_EQ(world.told(all).longest_wait, 0);
    EXPECT_EQ(world.lowest_limit(), 100'000);
  }
}

// In a flood, where the limit is in use and so could only fall.
TEST(Overload, WhatGetsSlowerForEverybodyIsNotThrottledForLong) {
  for (const Kind kind : {kEven, kWords, kStreamed}) {
    Simulation world;
    const double mean = kind.mean();
    world.settings.wait = milliseconds(static_cast<int>(10'000 * mean));
    world.add({.name = "flood", .callers = 100, .retry = mean / 2, .work = kind.work});
    world.run(1000 * mean);
    world.server.slower = 1.5;
    world.run(500 * mean);
    world.forget();
    world.run(1000 * mean);
    EXPECT_GE(world.rate(), 0.8 * 16 / (1.5 * mean)) << kind.name;
    EXPECT_LE(world.view().limit, 2 * 16) << kind.name;
  }
}

TEST(Overload, FollowsACapacityThatHalvesAndComesBack) {
  for (const Kind kind : {kEven, kWords, kStreamed}) {
    Simulation world;
    const double mean = kind.mean(), full = 16 / mean;
    world.settings.wait = milliseconds(static_cast<int>(10'000 * mean));
    const auto polite = world.add({.name = "polite", .rate = 0.05 * full, .work = kind.work});
    world.run(1000 * mean);
    world.add({.name = "flood", .callers = 100, .retry = mean / 2, .work = kind.work});
    world.run(1000 * mean);
    world.server.capacity = 8;
    world.run(300 * mean);
    world.forget();
    world.run(700 * mean);
    EXPECT_GE(world.rate(), 0.8 * full / 2) << kind.name;
    EXPECT_LE(world.view().limit, 13) << kind.name;
    EXPECT_EQ(world.told(polite).refused + world.told(polite).late, 0u) << kind.name;
    world.server.capacity = 16;
    world.run(1000 * mean);
    world.forget();
    world.run(500 * mean);
    EXPECT_GE(world.rate(), 0.85 * full) << kind.name;
  }
}

TEST(Overload, TheOnlyTenantMayUseEverything) {
  Simulation world;
  world.settings.concurrency = {{"*", {}, 16}};
  world.add({.name = "flood", .callers = 200, .work = even});
  world.run(20);
  world.forget();
  world.run(100);
  EXPECT_GE(world.rate(), 0.99 * 16 / 0.2);
}

TEST(Overload, TenantsShareByWeight) {
  Simulation world;
  world.settings.concurrency = {{"*", {}, 16}};
  const auto one = world.add({.name = "one", .callers = 200, .work = even});
  const auto three = world.add({.name = "three", .callers = 200, .weight = 3, .work = even});
  world.run(100);
  const auto served = [&](std::size_t which) { return double(world.told(which).served); };
  EXPECT_NEAR(served(three) / served(one), 3, 0.3);
}

TEST(Overload, AHigherPriorityGoesFirst) {
  Simulation world;
  world.settings.concurrency = {{"*", {}, 16}};
  const auto low = world.add({.name = "low", .rate = 200, .priority = 2, .work = even});
  const auto high = world.add({.name = "high", .rate = 60, .priority = 0, .work = even});
  world.run(100);
  EXPECT_EQ(world.told(high).refused + world.told(high).late, 0u);
  EXPECT_NEAR(double(world.told(high).served) / 100, 60, 3);
  EXPECT_LE(double(world.told(low).served) / 100, 25);
}

TEST(Overload, WhoWouldWaitTooLongIsToldAtOnceAndNobodyWaitsLonger) {
  Simulation world;
  world.settings.concurrency = {{"*", {}, 16}};
  world.settings.wait = milliseconds(2000);
  const auto flood = world.add({.name = "flood", .rate = 800, .work = any_length});
  world.run(100);
  const auto& told = world.told(flood);
  EXPECT_LE(told.longest_wait, 2 + 1e-6);
  EXPECT_GT(told.refused, 20 * told.late);
  EXPECT_GE(told.least_retry_after, 1.5);
}

TEST(Overload, WhoGivesUpLeavesNothingBehind) {
  Simulation world;
  world.settings.concurrency = {{"*", {}, 16}};
  const auto flood = world.add({.name = "flood", .rate = 800, .work = even, .leaves = 0.5});
  world.run(50);
  EXPECT_GT(world.told(flood).left, 100u);
  world.tenant(flood).rate = 0;
  world.run(20);
  EXPECT_EQ(world.view().waiting, 0u);
  EXPECT_EQ(world.view().in_flight, 0u);
}

}  // namespace
}  // namespace causeway::overload::testing
