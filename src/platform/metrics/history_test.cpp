#include "platform/metrics/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "platform/metrics/quantile.h"

namespace causeway::metrics {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kStart = 1'800'000'000;  // divides by 1,800

struct House {
  explicit House(History::Limits limits = {}) : history(start(), clock, limits) {}
  Registry& start() {
    clock.set_wall(Wall(std::chrono::seconds(kStart)));
    return registry;
  }
  void pass(std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 1s) {
      clock.advance(1s);
      history.tick();
    }
  }
  Past read(Selection selection) { return history.read(selection).value(); }

  ManualClock clock;
  Registry registry{1};
  History history;
};

const Group* find(const Past& past, const std::vector<std::string>& labels) {
  for (const Group& group : past.groups) {
    if (group.labels == labels && !group.others) return &group;
  }
  return nullptr;
}

TEST(Frame, RoundTrip) {
  FrameWriter writer;
  writer.add(7, 12.0);
  writer.add(3, -0.25);
  const std::vector<std::uint64_t> counts{0, 5, 0, 0, 1'000'000, 0};
  writer.add(4, counts, 1e300);
  writer.add(4'000'000, 9007199254740993.0);
  const std::string bytes = writer.take();
  FrameReader reader(bytes);
  FrameEntry entry;
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.id, 7u);
  EXPECT_EQ(entry.value, 12.0);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.id, 3u);
  EXPECT_EQ(entry.value, -0.25);
  EXPECT_FALSE(entry.histogram);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.id, 4u);
  EXPECT_TRUE(entry.histogram);
  EXPECT_EQ(entry.value, 1e300);
  const std::vector<std::pair<std::uint32_t, std::uint64_t>> expected{{1, 5}, {4, 1'000'000}};
  EXPECT_EQ(entry.counts, expected);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.id, 4'000'000u);
  EXPECT_EQ(entry.value, 9007199254740993.0);
  EXPECT_FALSE(reader.next(entry));
}

TEST(Quantile, AsPrometheus) {
  const std::vector<double> bounds{1, 2, 4};
  const auto at = [&](double q, std::vector<std::uint64_t> counts) {
    return quantile(q, bounds, counts);
  };
  EXPECT_FALSE(at(0.5, {0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(*at(0.5, {10, 0, 0, 0}), 0.5);
  EXPECT_DOUBLE_EQ(*at(0.5, {0, 10, 0, 0}), 1.5);
  EXPECT_DOUBLE_EQ(*at(0.95, {0, 0, 20, 0}), 2 + 2 * 0.95);
  EXPECT_DOUBLE_EQ(*at(0.75, {5, 0, 5, 0}), 3.0);
  EXPECT_DOUBLE_EQ(*at(0.5, {5, 0, 5, 0}), 1.0);
  EXPECT_DOUBLE_EQ(*at(0.99, {1, 0, 0, 99}), 4.0);  // above all bounds: the last one
  EXPECT_DOUBLE_EQ(*quantile(0.5, std::vector<double>{-1, 1}, std::vector<std::uint64_t>{4, 0, 0}),
                   -1.0);
}

TEST(History, CountersGrowInTheirSteps) {
  House house;
  const auto family = house.registry.counter({"x_total", "X.", {"m"}});
  auto& a = house.registry.cell(family, 0, {"a"});
  a.add(3);
  house.pass(10s);
  house.registry.cell(family, 0, {"b"}).add(2);  // a series that comes later counts in full
  a.add(1);
  house.pass(10s);
  house.pass(10s);
  const Past past = house.read({.metric = "x_total", .by = {"m"}, .window = 60s});
  EXPECT_EQ(past.kind, Kind::Counter);
  EXPECT_EQ(past.step, 10s);
  EXPECT_EQ(past.from, kStart - 30);
  EXPECT_EQ(past.known, (std::vector<bool>{false, false, false, true, true, true}));
  EXPECT_EQ(find(past, {"a"})->values, (std::vector<double>{0, 0, 0, 3, 1, 0}));
  EXPECT_EQ(find(past, {"b"})->values, (std::vector<double>{0, 0, 0, 0, 2, 0}));
  const Past all = house.read({.metric = "x_total", .by = {}, .window = 60s});
  ASSERT_EQ(all.groups.size(), 1u);
  EXPECT_EQ(all.groups[0].values, (std::vector<double>{0, 0, 0, 3, 3, 0}));
  const Past one =
      house.read({.metric = "x_total", .by = {}, .where = {{"m", "b"}}, .window = 60s});
  EXPECT_EQ(one.groups.at(0).values, (std::vector<double>{0, 0, 0, 0, 2, 0}));
}

TEST(History, GaugesAreWhatTheyWereAtTheEnd) {
  House house;
  double level = 5;
  house.registry.sampled(Kind::Gauge, {"level", "L.", {"m"}}, [&](SampleSink& sink) {
    sink.add({"a"}, level);
    if (level < 0) sink.add({"b"}, 1);
  });
  house.pass(10s);
  level = -1.5;
  house.pass(10s);
  const Past past = house.read({.metric = "level", .by = {"m"}, .window = 30s});
  EXPECT_TRUE(std::isnan(find(past, {"a"})->values[0]));
  EXPECT_EQ(find(past, {"a"})->values[1], 5);
  EXPECT_EQ(find(past, {"a"})->values[2], -1.5);
  EXPECT_TRUE(std::isnan(find(past, {"b"})->values[1]));
  EXPECT_EQ(house.read({.metric = "level", .by = {}, .window = 30s}).groups.at(0).values[2], -0.5);
  house.pass(280s);
  const Past day = house.read({.metric = "level", .by = {"m"}, .window = 24h});
  EXPECT_EQ(find(day, {"a"})->values.back(), -1.5);
}

TEST(History, UnknownMetricsAndLabels) {
  House house;
  const auto family = house.registry.counter({"x_total", "X.", {"m"}});
  house.registry.cell(family, 0, {"a"}).add();
  house.pass(10s);
  EXPECT_EQ(house.history.read({.metric = "y_total", .by = {}}).error().code, "metric_not_found");
  EXPECT_EQ(house.history.read({.metric = "x_total", .by = {"n"}}).error().code, "invalid_query");
  EXPECT_EQ(house.history.read({.metric = "x_total", .by = {}, .where = {{"n", "a"}}}).error().code,
            "invalid_query");
  EXPECT_TRUE(house.read({.metric = "x_total", .by = {"m"}, .where = {{"m", "z"}}}).groups.empty());
}

TEST(History, TheLargestGroupsAndTheRest) {
  House house;
  const auto family = house.registry.counter({"x_total", "X.", {"m"}});
  for (int i = 1; i <= 9; ++i) {
    house.registry.cell(family, 0, {std::to_string(i)}).add(static_cast<std::uint64_t>(i));
  }
  house.pass(10s);
  Selection selection{.metric = "x_total", .by = {"m"}, .window = 10s};
  selection.most_groups = 3;
  const Past past = house.read(selection);
  ASSERT_EQ(past.groups.size(), 4u);
  EXPECT_EQ(past.groups[0].labels, std::vector<std::string>{"9"});
  EXPECT_EQ(past.groups[2].labels, std::vector<std::string>{"7"});
  EXPECT_TRUE(past.groups[3].others);
  EXPECT_EQ(past.groups[3].values[0], 6 + 5 + 4 + 3 + 2 + 1);
}

TEST(History, AClockThatIsSetMovesThePastAlong) {
  House house;
  const auto family = house.registry.counter({"x_total", "X.", {}});
  house.registry.cell(family, 0).add(4);
  house.pass(10s);
  house.clock.set_wall(house.clock.wall() - 1h);
  house.pass(10s);
  const Past past = house.read({.metric = "x_total", .by = {}, .window = 20s});
  EXPECT_EQ(past.from, kStart - 3600);
  EXPECT_EQ(past.groups.at(0).values, (std::vector<double>{4, 0}));
}

TEST(History, ALoopThatWasHeldUpLeavesAGap) {
  House house;
  const auto family = house.registry.counter({"x_total", "X.", {}});
  house.pass(10s);
  house.clock.advance(40s);
  house.registry.cell(family, 0).add(4);
  house.history.tick();
  const Past past = house.read({.metric = "x_total", .by = {}, .window = 60s});
  EXPECT_EQ(past.known, (std::vector<bool>{false, true, false, false, false, true}));
  EXPECT_EQ(past.groups.at(0).values, (std::vector<double>{0, 0, 0, 0, 0, 4}));
}

// Everything, over hours, against a plain computation that keeps all samples of every ten seconds.
TEST(History, AgreesWithAPlainComputation) {
  House house;
  auto& registry = house.registry;
  const auto counter = registry.counter({"c_total", "C.", {"a", "b"}});
  const auto times = registry.histogram({"t_seconds", "T.", {"a", "b"}, {1, 2, 4, 8}});
  std::mt19937 random(7);
  std::vector<std::vector<FamilySamples>> samples{registry.collect()};
  constexpr std::size_t kTicks = 3 * 360 + 7;
  for (std::size_t tick = 0; tick < kTicks; ++tick) {
    for (unsigned i = random() % 4; i > 0; --i) {
      const std::string a(1, static_cast<char>('a' + random() % (1 + tick / 200)));
      const std::string b(1, static_cast<char>('x' + random() % 2));
      registry.cell(counter, 0, {a, b}).add(random() % 1000);
      registry.cell(times, 0, {a, b}).observe(static_cast<double>(random() % 100) / 10);
    }
    samples.push_back(registry.collect());
    house.pass(10s);
  }
  const auto total = [&](std::size_t tick, std::size_t family, const std::string& a) {
    std::vector<double> sum(7);  // counts, their sum, value
    for (const Sample& sample : samples[tick][family].samples) {
      if (sample.labels[0] != a) continue;
      for (std::size_t i = 0; i < sample.counts.size(); ++i) {
        sum[i] += static_cast<double>(sample.counts[i]);
      }
      sum[5] += sample.sum;
      sum[6] += sample.value;
    }
    return sum;
  };
  for (const auto& [window, step] : {std::pair{1h, 1}, std::pair{24h, 30}, std::pair{168h, 180}}) {
    const Past counted = house.read({.metric = "c_total", .by = {"a"}, .window = window});
    const Past timed = house.read({.metric = "t_seconds", .by = {"a"}, .window = window});
    for (const Group& group : counted.groups) {
      for (std::size_t i = 0; i < group.values.size(); ++i) {
        const auto begin = (counted.from - kStart) / 10 + static_cast<std::int64_t>(i) * step;
        if (begin < 0) {
          ASSERT_EQ(group.values[i], 0);
          continue;
        }
        const auto from = static_cast<std::size_t>(begin);
        const auto to = std::min(from + static_cast<std::size_t>(step), kTicks);
        const std::string& a = group.labels[0];
        ASSERT_EQ(group.values[i], total(to, 0, a)[6] - total(from, 0, a)[6]) << a << ' ' << i;
        const Group& time = *find(timed, {a});
        const auto then = total(from, 1, a), now = total(to, 1, a);
        double count = 0;
        for (std::size_t bucket = 0; bucket < 5; ++bucket) {
          count += now[bucket] - then[bucket];
          const auto& buckets = time.buckets[i];
          ASSERT_EQ(buckets.empty() ? 0.0 : static_cast<double>(buckets[bucket]),
                    now[bucket] - then[bucket]);
        }
        ASSERT_EQ(time.values[i], count);
        ASSERT_NEAR(time.sums[i], now[5] - then[5], 1e-6);
      }
    }
    EXPECT_EQ(counted.groups.size(), 6u);
  }
}

TEST(History, MemoryIsBoundedAndSmallWhenIdle) {
  House idle;
  idle.registry.sampled(Kind::Gauge, {"rss_bytes", "R.", {}},
                        [](SampleSink& sink) { sink.add({}, 2.4e7); });
  idle.registry.cell(idle.registry.counter({"x_total", "X.", {"m"}}), 0, {"a"}).add();
  for (int i = 0; i < 8 * 24 * 360; ++i) {
    idle.clock.advance(10s);
    idle.history.tick();
  }
  EXPECT_EQ(idle.history.reach(), History::kKept);
  EXPECT_LT(idle.history.bytes(), 200'000u);

  House busy({.fine_bytes = 60'000, .coarse_bytes = 30'000, .series = 100});
  const auto family = busy.registry.counter({"x_total", "X.", {"m"}});
  for (int i = 0; i < 3000; ++i) {
    for (int m = 0; m < 300; ++m) {
      busy.registry.cell(family, 0, {std::to_string(m)}).add(1'000'000);
    }
    busy.clock.advance(10s);
    busy.history.tick();
  }
  EXPECT_LT(busy.history.bytes(), 120'000u);
  EXPECT_GT(busy.history.reach(), 5min);
  EXPECT_LT(busy.history.reach(), 20h);
  EXPECT_EQ(busy.read({.metric = "x_total", .by = {}, .window = 10s}).groups.at(0).values[0],
            100 * 1e6);
}

}  // namespace
}  // namespace causeway::metrics
