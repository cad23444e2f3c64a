#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <deque>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "features/traffic/limits/budget_file.h"
#include "features/traffic/limits/headers.h"
#include "features/traffic/limits/limit.h"
#include "features/traffic/limits/period.h"
#include "features/traffic/limits/table.h"
#include "features/traffic/limits/testing/asking.h"

namespace causeway::limits {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(Window, NeverHasMoreThanTheMostInAnyWindow) {
  ManualClock clock;
  Table table(clock, 100'000);
  const Limit limit = limit_of(Amount::Requests, 100, 60s);
  Asking ann{table, limit};
  int passed = 0;
  for (int i = 0; i < 1000; ++i) passed += !ann.take();
  EXPECT_EQ(passed, 100) << "a thousand in the same instant";
  const auto refusal = ann.take();
  ASSERT_TRUE(refusal);
  EXPECT_GE(refusal->wait, 60s - 1s);
  EXPECT_LE(refusal->wait, 61s);
  clock.advance(refusal->wait - 1ns);
  EXPECT_TRUE(ann.take());
  clock.advance(1ns);
  EXPECT_FALSE(ann.take());
}

// A million steps of several subjects against a list of all that was taken. What the window forgets
// late is known exactly: an amount counts until the end of its slot plus the window.
TEST(Window, AgreesWithASlowExactOneOverAMillionSteps) {
  std::mt19937_64 random(20261127);
  ManualClock clock;
  clock.advance(123'456'789ns);
  Table table(clock, 1'000'000);
  const Limit limit = limit_of(Amount::Tokens, 5'000, 60s);
  constexpr nanoseconds slot = 60s / Window::kSlots;
  struct Had {
    nanoseconds until;  // counts until then
    nanoseconds at;
    std::int64_t amount;
  };
  struct Open {
    Taken taken;
    std::size_t had;  // its number, counted from the beginning
  };
  struct Subject {
    std::deque<Had> had;
    std::size_t gone = 0;
    std::vector<Open> open;
  };
  std::array<Subject, 5> subjects;
  int passed = 0, refused = 0;
  for (int step = 0; step < 1'000'000; ++step) {
    if (random() % 4 == 0) clock.advance(nanoseconds(random() % 400'000'000));
    if (random() % 5000 == 0) clock.advance(nanoseconds(random() % 90'000'000'000));
    const nanoseconds now = clock.now().time_since_epoch();
    const std::size_t which = random() % subjects.size();
    Subject& subject = subjects[which];
    if (!subject.open.empty() && random() % 3 == 0) {
      const std::size_t at = random() % subject.open.size();
      const Open open = subject.open[at];
      subject.open.erase(subject.open.begin() + static_cast<std::ptrdiff_t>(at));
      const auto real = static_cast<std::int64_t>(random() % 300);
      (void)table.settle(limit, open.taken, real);
      if (open.had >= subject.gone) subject.had[open.had - subject.gone].amount = real;
    }
    while (!subject.had.empty() && subject.had.front().until <= now) {
      subject.had.pop_front();
      ++subject.gone;
    }
    std::int64_t sum = 0;
    for (const Had& had : subject.had) sum += had.amount;
    const auto amount = static_cast<std::int64_t>(1 + random() % 200);
    Asking asking{table, limit, key_of(which)};
    const auto refusal = asking.take(amount);
    ASSERT_EQ(!refusal, sum + amount <= limit.most)
        << "step " << step << ": " << sum << " + " << amount;
    if (refusal) {
      ++refused;
      nanoseconds frees{0};
      std::int64_t left = sum;
      for (const Had& had : subject.had) {
        left -= had.amount;
        if (left + amount <= limit.most) {
          frees = had.until;
          break;
        }
      }
      ASSERT_EQ(refusal->wait, frees - now) << "step " << step;
      continue;
    }
    ++passed;
    ASSERT_EQ(asking.standing.used, sum + amount);
    subject.had.push_back({(now / slot + Window::kSlots + 1) * slot, now, amount});
    subject.open.push_back({asking.taken, subject.gone + subject.had.size() - 1});
    if (subject.open.size() > 50) {
      (void)table.settle(limit, subject.open.front().taken, subject.open.front().taken.amount);
      subject.open.erase(subject.open.begin());
    }
  }
  EXPECT_GT(passed, 100'000);
  EXPECT_GT(refused, 100'000);
}

TEST(Window, WhatIsNotUsedComesBackAndWhatIsMoreIsOwed) {
  ManualClock clock;
  Table table(clock, 1000);
  const Limit limit = limit_of(Amount::Tokens, 1000, 60s);
  Asking first{table, limit};
  ASSERT_FALSE(first.take(900));
  Asking second{table, limit};
  EXPECT_TRUE(second.take(200));
  (void)table.settle(limit, first.taken, 100);
  ASSERT_FALSE(second.take(200));
  (void)table.settle(limit, second.taken, 2000);
  EXPECT_TRUE(second.take(1)) << "it owes";
  clock.advance(62s);
  EXPECT_FALSE(second.take(1000));
}

TEST(Spacing, SpreadsRequestsBehindTheBurst) {
  ManualClock clock;
  clock.advance(1h);
  Table table(clock, 1000);
  Limit limit = limit_of(Amount::Requests, 60, 60s);
  limit.burst = 5;
  Asking ann{table, limit};
  for (int i = 0; i < 5; ++i) ASSERT_FALSE(ann.take()) << i;
  const auto refusal = ann.take();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->wait, 1s);
  clock.advance(1s);
  EXPECT_FALSE(ann.take());
  EXPECT_TRUE(ann.take());
  int passed = 6;
  for (int i = 0; i < 590; ++i) {
    clock.advance(100ms);
    passed += !ann.take();
  }
  EXPECT_LE(passed, 60 + 1);
  EXPECT_GE(passed, 59);
}

TEST(Table, TakesAllOfARequestOrNothing) {
  ManualClock clock;
  Table table(clock, 1000);
  Limit one = limit_of(Amount::Requests, 10, 60s), two = limit_of(Amount::Requests, 3, 60s);
  two.identity = two.name = "two";
  std::array<Taken, 2> taken;
  std::array<Standing, 2> standing;
  const auto take = [&] {
    const std::array<Wanted, 2> wanted{Wanted{&one, key_of(1), "a", 1},
                                       Wanted{&two, key_of(2), "a", 1}};
    return table.take(wanted, taken, standing);
  };
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(take());
  const auto refusal = take();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->which, 1u);
  Asking alone{table, one};
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(alone.take()) << "the refused one took nothing: " << i;
  EXPECT_TRUE(alone.take());
}

TEST(Table, ConcurrentRequestsComeBackWhenTheyEnd) {
  ManualClock clock;
  Table table(clock, 1000);
  const Limit limit = limit_of(Amount::Concurrent, 2, 0ns);
  Asking one{table, limit}, two{table, limit}, three{table, limit};
  ASSERT_FALSE(one.take());
  ASSERT_FALSE(two.take());
  ASSERT_TRUE(three.take());
  table.end(one.taken);
  EXPECT_FALSE(three.take());
  EXPECT_EQ(three.standing.used, 2);
}

TEST(Table, AThousandThreadedTakesPassExactlyTheMost) {
  ManualClock clock;
  Table table(clock, 1000);
  const Limit limit = limit_of(Amount::Requests, 100, 60s);
  const Limit other = [] {
    Limit all = limit_of(Amount::Tokens, 1'000'000, 60s);
    all.identity = "all";
    return all;
  }();
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      std::array<Taken, 2> taken;
      std::array<Standing, 2> standing;
      for (int i = 0; i < 500; ++i) {
        const std::array<Wanted, 2> wanted{Wanted{&other, key_of(7), "", 5},
                                           Wanted{&limit, key_of(1), "ann", 1}};
        if (table.take(wanted, taken, standing)) continue;
        ++passed;
        (void)table.settle(other, taken[0], 3);
        (void)table.settle(limit, taken[1], 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 100);
  Asking all{table, other, key_of(7)};
  ASSERT_FALSE(all.take(1));
  EXPECT_EQ(all.standing.used, 100 * 3 + 1);
}

TEST(Table, WhoIsUnknownIsRefusedWhenItIsFullAndNobodyIsForgotten) {
  ManualClock clock;
  clock.advance(1h);
  Table table(clock, 64 * 4);
  const Limit limit = limit_of(Amount::Requests, 1, 60s);
  int passed = 0, full = 0;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    Asking one{table, limit, key_of(i)};
    const auto refusal = one.take();
    passed += !refusal;
    full += refusal && refusal->why == Refusal::Why::TableFull;
    if (!refusal) (void)table.settle(limit, one.taken, 1);
  }
  EXPECT_LE(passed, 64 * 4);
  EXPECT_EQ(passed + full, 5000);
  Asking first{table, limit, key_of(0)};
  EXPECT_TRUE(first.take()) << "it has had its one";
  clock.advance(62s);
  Asking later{table, limit, key_of(99'999)};
  EXPECT_FALSE(later.take()) << "the others have been quiet for their window";
  EXPECT_LE(table.stats().subjects, 64u * 4);
}

TEST(Table, OneTenantDoesNotLockTheOthersOut) {
  ManualClock clock;
  clock.advance(1h);
  Table table(clock, 64 * 80);
  const Limit limit = limit_of(Amount::Requests, 1, 60s);
  const auto passes = [&](std::uint64_t subject, std::uint8_t tenant) {
    const std::array<Wanted, 1> wanted{Wanted{&limit, key_of(subject), "", 1, tenant}};
    std::array<Taken, 1> taken;
    std::array<Standing, 1> standing;
    return !table.take(wanted, taken, standing);
  };
  int made_up = 0, others = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) made_up += passes(i, 1);
  for (std::uint64_t i = 0; i < 64 * 5; ++i) others += passes(100'000 + i, 2);
  EXPECT_EQ(made_up, 64 * 70);
  EXPECT_EQ(others, 64 * 5);
}

TEST(Table, ASubjectCostsLessThanAKibibyteAndTheBoundHolds) {
  ManualClock clock;
  clock.advance(1h);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t most = 100'000;
#else
  constexpr std::size_t most = 1'000'000;
#endif
  Table table(clock, most);
  const Limit limit = limit_of(Amount::Tokens, 1000, 60s);
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  std::uint64_t subjects = 0;
  for (; subjects < 2 * most; ++subjects) {
    Asking one{table, limit, key_of(subjects)};
    if (!one.take(10)) (void)table.settle(limit, one.taken, 10);
  }
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LE(table.stats().subjects, most);
  EXPECT_GT(table.stats().subjects, most * 9 / 10);
  const std::size_t each = (after - before) / table.stats().subjects;
  RecordProperty("bytes_per_subject", static_cast<int>(each));
  EXPECT_LE(each, 1024u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // memory is not counted there
  EXPECT_GT(each, sizeof(Window));
#endif
}

TEST(Table, SoftIsToldOnceInEachPeriod) {
  ManualClock clock;
  Table table(clock, 1000);
  Limit limit = monthly(1000);
  limit.soft = 800;
  int told = 0;
  for (int i = 0; i < 10; ++i) {
    Asking one{table, limit};
    ASSERT_FALSE(one.take(100)) << i;
    told += table.settle(limit, one.taken, 100).soft_passed;
  }
  EXPECT_EQ(told, 1);
  Asking more{table, limit};
  const auto refusal = more.take(1);
  ASSERT_TRUE(refusal);
  EXPECT_GT(refusal->wait, 0ns);
  clock.advance(refusal->wait);
  ASSERT_FALSE(more.take(900)) << "another month";
  EXPECT_TRUE(table.settle(limit, more.taken, 900).soft_passed);
}

// One of several replicas that count together: three here.
struct Together {
  Table& table;
  const Limit& limit;
  Taken taken{};
  Standing standing{};
  std::optional<Refusal> take(Counting::By by, std::int64_t amount = 1, std::int64_t all = 0) {
    standing = {};
    standing.used = all;
    const Wanted wanted{&limit, key_of(1), "ann", amount};
    return table.take({&wanted, 1}, {&taken, 1}, {&standing, 1}, {by, 3});
  }
  Known look() {
    Known known;
    const Wanted wanted{&limit, key_of(1), "ann", 1};
    EXPECT_FALSE(table.look({&wanted, 1}, {&known, 1}));
    return known;
  }
};

TEST(Share, OfOneOfWhomNothingIsKnownIsItsPart) {
  ManualClock clock;
  clock.advance(1h);
  Table table(clock, 1000);
  const Limit limit = limit_of(Amount::Requests, 100, 60s);
  Together ann{table, limit};
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += !ann.take(Counting::By::Share);
  EXPECT_EQ(passed, 33);
  EXPECT_GT(ann.take(Counting::By::Share)->wait, 60s);
  EXPECT_EQ(ann.look().owed, 33) << "to be told when the others can be asked again";
  EXPECT_EQ(ann.look().owed, 0);
  const Limit few = limit_of(Amount::Concurrent, 2, 0ns);
  Table other(clock, 1000);
  Together one{other, few};
  EXPECT_FALSE(one.take(Counting::By::Share)) << "never nothing";
}

TEST(Share, OfWhatTheOthersLeft) {
  ManualClock clock;
  clock.advance(1h);
  Table table(clock, 1000);
  const Limit limit = limit_of(Amount::Requests, 100, 60s);
  Together ann{table, limit};
  ASSERT_FALSE(ann.take(Counting::By::Granted, 1, 91));  // of which one was ours
  EXPECT_EQ(ann.standing.used, 91);
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += !ann.take(Counting::By::Share);
  EXPECT_EQ(passed, 3) << "a third of the nine that were left";
  clock.advance(62s);
  passed = 0;
  for (int i = 0; i < 100; ++i) passed += !ann.take(Counting::By::Share);
  EXPECT_EQ(passed, 33) << "what was said then is over";
}

TEST(Share, OfABudgetAndWhatWasSpentIsTold) {
  ManualClock clock;
  Table table(clock, 1000);
  const Limit limit = monthly(1000);
  Together ann{table, limit};
  ASSERT_FALSE(ann.take(Counting::By::Granted, 100, 700));
  const auto settled = table.settle(limit, ann.taken, 40, false);
  EXPECT_EQ(settled.spent, 40);
  EXPECT_EQ(ann.look().spent, 40);
  EXPECT_EQ(ann.look().ends, settled.ends);
  EXPECT_TRUE(ann.take(Counting::By::Share, 161));
  ASSERT_FALSE(ann.take(Counting::By::Share, 160)) << "a third of 300, and what was not used";
  EXPECT_TRUE(ann.taken.by_share);
  EXPECT_EQ(table.settle(limit, ann.taken, 160).spent, 200);
  EXPECT_TRUE(ann.take(Counting::By::Share, 1));
}

TEST(Share, SoftIsToldByWhatAllHaveUsed) {
  ManualClock clock;
  Table table(clock, 1000);
  Limit limit = monthly(1000);
  limit.soft = 800;
  Together ann{table, limit};
  const std::array<std::pair<std::int64_t, bool>, 4> steps{
      {{700, false}, {809, false}, {810, true}, {900, false}}};
  for (const auto& [all, told] : steps) {
    ASSERT_FALSE(ann.take(Counting::By::Granted, 10, all));
    EXPECT_EQ(ann.standing.soft_passed, told) << all;
    EXPECT_FALSE(table.settle(limit, ann.taken, 10, false).soft_passed);
  }
}

TEST(Period, DaysAndMonthsOfATimeZone) {
  using std::chrono::sys_days;
  using std::chrono::year;
  const auto at = [](int y, unsigned m, unsigned d, std::chrono::seconds of_day) -> Wall {
    return sys_days(year(y) / m / d) + of_day;
  };
  // 23:30 UTC is 00:30 of the next day in Berlin's winter.
  const Period day = period_of(Each::Day, "Europe/Berlin", at(2026, 11, 26, 23h + 30min));
  EXPECT_EQ(day.begin, at(2026, 11, 26, 23h));
  EXPECT_EQ(day.end, at(2026, 11, 27, 23h));
  // The clock is put forward on 29 March 2026: a day of 23 hours, and back on 25 October.
  const Period spring = period_of(Each::Day, "Europe/Berlin", at(2026, 3, 29, 12h));
  EXPECT_EQ(spring.end - spring.begin, 23h);
  const Period autumn = period_of(Each::Day, "Europe/Berlin", at(2026, 10, 25, 12h));
  EXPECT_EQ(autumn.end - autumn.begin, 25h);
  const Period month = period_of(Each::Month, "America/New_York", at(2026, 12, 1, 3h));
  EXPECT_EQ(month.begin, at(2026, 11, 1, 4h));
  EXPECT_EQ(month.end, at(2026, 12, 1, 5h));
  EXPECT_TRUE(is_time_zone("Asia/Kolkata"));
  EXPECT_FALSE(is_time_zone("Europe/Berlln"));
  EXPECT_FALSE(is_time_zone(""));
}

TEST(Names, SayWhatIsCounted) {
  LimitConfig config;
  config.per = {Per::Tenant, Per::Model};
  config.tokens = 5000;
  config.window = 60s;
  EXPECT_EQ(name_of(config), "5000 tokens per tenant and model in 1m");
  LimitConfig money;
  money.money = config::Money{50'000'000};
  money.each = Each::Month;
  EXPECT_EQ(name_of(money), "50 money per key each month");
  LimitConfig again = config;
  again.tokens = 9000;
  EXPECT_EQ(limits_of({config})[0].identity, limits_of({again})[0].identity)
      << "another amount counts on";
  const auto both = limits_of({config, again});
  EXPECT_NE(both[0].identity, both[1].identity);
}

TEST(ResetText, IsAsOpenAiWritesIt) {
  EXPECT_EQ(reset_text(20ms), "20ms");
  EXPECT_EQ(reset_text(1s), "1s");
  EXPECT_EQ(reset_text(6min), "6m0s");
  EXPECT_EQ(reset_text(1h + 500ms), "1h0m1s");
}

}  // namespace
}  // namespace causeway::limits
