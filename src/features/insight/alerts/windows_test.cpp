#include "features/insight/alerts/windows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "features/insight/alerts/makers.h"

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

Rows rows_of(const std::string& key, float requests) {
  Row row{{"a/x", "m", key}, {}};
  row.counts.at[kRequests] = requests;
  return {row};
}

float requests_of(const Rows& rows) {
  float sum = 0;
  for (const Row& row : rows) sum += row.counts[kRequests];
  return sum;
}

// The sums of a window against a plain list of everything, up to a coarse frame's length.
TEST(Windows, SumsAreThoseOfAPlainList) {
  std::mt19937 random(7);
  Windows windows(10s, 110s);
  std::vector<std::pair<Monotonic, float>> all;
  Monotonic now{};
  for (int i = 0; i < 2000; ++i) {
    now += 1s;
    const auto count = static_cast<float>(random() % 50);
    windows.add(now, rows_of("k" + std::to_string(random() % 5), count));
    all.emplace_back(now, count);
    float lately = 0, before = 0, least = 0, most = 0;
    for (const auto& [at, n] : all) {
      const auto ago = now - at;
      if (ago < 10s) lately += n;
      if (ago >= 10s && ago < 110s) before += n;
      if (ago >= 20s && ago < 100s) least += n;
      if (ago < 130s && ago >= 10s) most += n;
    }
    ASSERT_EQ(requests_of(windows.sum(now, 10s)), lately) << i;
    const float given = requests_of(windows.sum(now, 110s, 10s));
    ASSERT_GE(given, least) << i;
    ASSERT_LE(given, most) << i;
  }
  EXPECT_GE(windows.age(now), 100s);
  EXPECT_LE(windows.age(now), 140s);
}

TEST(Windows, TooManySubjectsGoToOther) {
  Rows rows;
  for (int i = 0; i < 600; ++i) rows.push_back(rows_of("k" + std::to_string(i), 1)[0]);
  const Rows sum = summed({&rows}, 100);
  EXPECT_LE(sum.size(), 101u);
  EXPECT_EQ(requests_of(sum), 600);
}

TEST(Counts, BucketsAreHalfOctaves) {
  EXPECT_EQ(bucket_of(0), 0u);
  for (std::uint64_t micros = 600; micros < 300'000'000; micros = micros * 11 / 10) {
    const std::size_t bucket = bucket_of(micros);
    EXPECT_LE(bucket_begin(bucket), static_cast<double>(micros)) << micros;
    EXPECT_GT(bucket_begin(bucket + 1), static_cast<double>(micros)) << micros;
  }
  EXPECT_EQ(bucket_of(~std::uint64_t{0}), kBuckets - 1);
}

TEST(Counts, QuantilesAreNearThoseOfASortedList) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> times(12, 1);
  Counts counts;
  std::vector<double> all;
  for (int i = 0; i < 5000; ++i) {
    const double micros = times(random);
    all.push_back(micros);
    counts.at[kTotals + bucket_of(static_cast<std::uint64_t>(micros))] += 1;
  }
  std::ranges::sort(all);
  for (const double share : {0.5, 0.9, 0.95, 0.99}) {
    const double plain = all[static_cast<std::size_t>(share * 5000)];
    EXPECT_NEAR(std::log(counts.quantile(kTotals, share)), std::log(plain), 0.1) << share;
  }
  EXPECT_EQ(Counts().quantile(kTotals, 0.95), 0);
}

TEST(Cells, AreReadAsDifferences) {
  std::vector<std::unique_ptr<LoopCells>> loops;
  for (int i = 0; i < 2; ++i) loops.push_back(std::make_unique<LoopCells>());
  Collector collector(loops);
  EXPECT_TRUE(collector.take().empty());
  for (auto& loop : loops) loop->at(1, "a/x", "m", "k").add(kRequests, 3);
  loops[0]->at(1, "a/x", "m", "other key").add(kRequests);
  Rows rows = collector.take();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(requests_of(rows), 7);
  EXPECT_TRUE(collector.take().empty());
  loops[1]->at(1, "a/x", "m", "k").add(kRequests);
  EXPECT_EQ(requests_of(collector.take()), 1);
}

TEST(Cells, AFullTableCountsUnderOtherAndBeginsAnew) {
  std::vector<std::unique_ptr<LoopCells>> loops;
  loops.push_back(std::make_unique<LoopCells>());
  Collector collector(loops);
  for (int i = 0; i < 1000; ++i) {
    loops[0]->at(1, "a/x", "m", "k" + std::to_string(i)).add(kRequests);
  }
  Rows rows = collector.take();
  EXPECT_EQ(rows.size(), LoopCells::kMost);
  EXPECT_EQ(requests_of(rows), 1000);
  EXPECT_GT(loops[0]->others(), 0u);
  loops[0]->at(1, "a/x", "m", "new").add(kRequests);
  rows = collector.take();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].subject.key, "new");
  EXPECT_EQ(requests_of(rows), 1);
}

TEST(Cells, StrangersTakeFewPlaces) {
  std::vector<std::unique_ptr<LoopCells>> loops;
  loops.push_back(std::make_unique<LoopCells>());
  Collector collector(loops);
  const auto kind = kErrors + static_cast<std::size_t>(ErrorKind::Unauthenticated);
  for (int i = 0; i < 5000; ++i) {
    loops[0]->stranger("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)).add(kind);
  }
  loops[0]->at(1, "a/x", "m", "k").add(kRequests);
  const Rows rows = collector.take();
  EXPECT_EQ(rows.size(), LoopCells::kMostStrangers + 2);
  float refused = 0;
  for (const Row& row : rows) refused += row.counts[kind];
  EXPECT_EQ(refused, 5000);
}

TEST(Cells, AReaderBesideALoopLosesNothing) {
  std::vector<std::unique_ptr<LoopCells>> loops;
  loops.push_back(std::make_unique<LoopCells>());
  Collector collector(loops);
  constexpr int kTimes = 200'000;
  std::thread loop([&] {
    for (int i = 0; i < kTimes; ++i) {
      loops[0]->at(1, "a/x", "m", i % 2 ? "odd" : "even").add(kRequests);
    }
  });
  double sum = 0;
  for (int i = 0; i < 200; ++i) sum += requests_of(collector.take());
  loop.join();
  sum += requests_of(collector.take());
  EXPECT_EQ(sum, kTimes);
}

TEST(Cells, NothingIsLostWhileTablesChange) {
  std::vector<std::unique_ptr<LoopCells>> loops;
  loops.push_back(std::make_unique<LoopCells>());
  Collector collector(loops);
  std::atomic<bool> ended{false};
  int times = 0;
  std::thread loop([&] {
    for (; loops[0]->generation() < 5; ++times) {
      loops[0]->at(1, "a/x", "m", "k" + std::to_string(times / 20)).add(kRequests);
    }
    ended = true;
  });
  double sum = 0;
  while (!ended) sum += requests_of(collector.take());
  loop.join();
  for (int i = 0; i < 2; ++i) sum += requests_of(collector.take());
  EXPECT_EQ(sum, times);
}

TEST(Makers, TellOfWhatWasNeverSaidBefore) {
  Makers makers(nullptr);
  ManualClock clock;
  const auto hear = [&](const char* model, const char* fingerprint) {
    makers.hear({"a/x", model, fingerprint}, clock.wall(), 10min);
    return makers.events(clock.wall()).size();
  };
  EXPECT_EQ(hear("x-2026-01-01", "fp_1"), 0u);
  EXPECT_EQ(hear("x-2026-01-01", "fp_2"), 0u) << "learnt";
  EXPECT_EQ(hear("x-mini", "fp_9"), 0u) << "learnt";
  clock.advance(11min);
  EXPECT_EQ(hear("x-2026-01-01", "fp_1"), 0u);
  EXPECT_EQ(hear("x-2026-01-01", "fp_3"), 1u);
  EXPECT_NE(makers.events(clock.wall())[0].text.find("fp_3"), std::string::npos);
  EXPECT_EQ(hear("x-2026-09-09", "fp_3"), 1u) << "the newest of a target";
  EXPECT_NE(makers.events(clock.wall())[0].text.find("x-2026-09-09 instead of x-2026-01-01"),
            std::string::npos);
  clock.advance(2h);
  EXPECT_EQ(makers.events(clock.wall()).size(), 0u);
  EXPECT_EQ(hear("x-2026-01-01", "fp_1"), 0u) << "back to what is known";
}

TEST(Makers, LoopsNoteEachOnce) {
  LoopMakers loop;
  std::vector<Maker> heard;
  std::size_t from = 0;
  for (int i = 0; i < 1000; ++i) loop.note(1, "a/x", "m", "");
  loop.note(1, "a/x", "m2", "");
  loop.read(from, heard);
  EXPECT_EQ(heard.size(), 2u);
  loop.read(from, heard);
  EXPECT_EQ(heard.size(), 2u);
  for (int i = 0; i < 1000; ++i) loop.note(1, "a/x", "m" + std::to_string(i), "");
  loop.read(from, heard);
  EXPECT_EQ(heard.size(), 256u);
}

}  // namespace
}  // namespace causeway::alerts
