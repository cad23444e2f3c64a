#include "features/insight/ledger/ledger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>
#include <random>
#include <thread>

#include "platform/store/test_folder.h"

namespace causeway::ledger {
namespace {

using namespace std::chrono_literals;

const Wall kTime{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 10h};

Settlement simple(std::string_view key = "k1") {
  Settlement s;
  s.key = key;
  s.tenant = "acme";
  s.model = "fast";
  s.provider = "openai";
  s.upstream = "gpt-4.1";
  s.usage.source = UsageSource::Reported;
  s.usage.input_uncached = 100;
  s.usage.output_visible = 20;
  s.cost = 360'000;
  s.status = 200;
  s.time = kTime;
  s.duration = 1500ms;
  s.to_first = 200ms;
  return s;
}

TEST(Record, KeepsWhatItWasGiven) {
  Settlement s = simple("key-1");
  s.error = ErrorKind::Timeout;
  s.cut_by_client = true;
  Record record = make_record(s);
  EXPECT_EQ(record.name(Name::Key), "key-1");
  EXPECT_EQ(record.name(Name::Tenant), "acme");
  EXPECT_EQ(record.name(Name::Upstream), "gpt-4.1");
  EXPECT_EQ(record.flags, Record::kCostKnown | Record::kCutByClient | Record::kFailed);
  EXPECT_EQ(record.duration_us, 1'500'000u);
  record.checksum = checksum_of(record);
  EXPECT_TRUE(sound(record));
  auto* bytes = reinterpret_cast<unsigned char*>(&record);
  for (std::size_t i = 0; i < sizeof record; ++i) {
    for (unsigned char bit : {0x01, 0x80}) {
      bytes[i] ^= bit;
      EXPECT_FALSE(sound(record)) << i;
      bytes[i] ^= bit;
    }
  }
}

TEST(Record, OlderOnesKnowNoTokensSavedAndLongerNames) {
  Settlement s = simple("key-1");
  s.tokens_saved = 1234;
  Record record = make_record(s);
  EXPECT_EQ(record.tokens_saved(), 1234u);
  record.version = 1;
  record.lengths = {36, 40, 40, 20, 44};
  record.names.fill('x');
  record.checksum = checksum_of(record);
  EXPECT_TRUE(sound(record));
  EXPECT_EQ(record.tokens_saved(), 0u);
  EXPECT_EQ(record.name(Name::Upstream), std::string(44, 'x'));
  record.lengths[0] = 37;
  record.checksum = checksum_of(record);
  EXPECT_FALSE(sound(record));
}

TEST(Record, LongNamesStayDistinctAndWhole) {
  const std::string a = std::string(60, 'm') + "a";
  const std::string b = std::string(60, 'm') + "b";
  Settlement s = simple();
  s.model = a;
  const Record one = make_record(s);
  s.model = b;
  const Record two = make_record(s);
  EXPECT_EQ(one.name(Name::Model).size(), 40u);
  EXPECT_NE(one.name(Name::Model), two.name(Name::Model));
  EXPECT_EQ(one.name(Name::Provider), "openai");
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ä";
  s.model = umlauts;
  const auto kept = std::string(make_record(s).name(Name::Model));
  EXPECT_EQ(kept.find('~') % 2, 0u) << kept;
}

TEST(Money, RoundsToMicrodollarsOnlyForPeople) {
  EXPECT_EQ(to_micros(499), 0);
  EXPECT_EQ(to_micros(500), 1);
  EXPECT_EQ(to_micros(1499), 1);
  EXPECT_EQ(to_micros(-500), -1);
}

TEST(JournalRing, IsFullAtItsCapacityAndFreedByFolding) {
  store::TestFolder test;
  auto ring = JournalRing::open(test.path / "r", 32).value();
  EXPECT_EQ(ring->recover(0).records, 0u);
  const Record record = make_record(simple());
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(ring->append(record));
  EXPECT_FALSE(ring->append(record));
  ring->set_folded(2);
  EXPECT_TRUE(ring->append(record));
  EXPECT_TRUE(ring->append(record));
  EXPECT_FALSE(ring->append(record));
  EXPECT_EQ(ring->head(), 34u);
  ASSERT_TRUE(ring->at(34));
  EXPECT_EQ(ring->at(34)->name(Name::Key), "k1");
  EXPECT_TRUE(ring->sync());
}

TEST(JournalRing, IsFoundAgainWithTornAndLostRecordsTold) {
  store::TestFolder test;
  const auto path = test.path / "r";
  std::uint64_t id = 0;
  {
    auto ring = JournalRing::open(path, 32).value();
    ring->recover(0);
    id = ring->id();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(ring->append(make_record(simple())));
    ring->set_folded(10);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(ring->append(make_record(simple())));
  }
  {
    auto ring = JournalRing::open(path, 99).value();
    EXPECT_EQ(ring->id(), id);
    EXPECT_EQ(ring->capacity(), 32u);
    const auto found = ring->recover(10);
    EXPECT_EQ(found.records, 30u);
    EXPECT_EQ(found.torn + found.lost, 0u);
    EXPECT_EQ(ring->head(), 40u);
  }
  // Record 25 never reached the disk, 40 was half written.
  const int fd = ::open(path.c_str(), O_RDWR);
  const std::string zeros(256, '\0');
  ASSERT_EQ(::pwrite(fd, zeros.data(), 256, 4096 + 24 * 256), 256);
  ASSERT_EQ(::pwrite(fd, "half", 4, 4096 + 7 * 256 + 100), 4);
  ::close(fd);
  auto ring = JournalRing::open(path, 32).value();
  const auto found = ring->recover(10);
  EXPECT_EQ(found.records, 28u);
  EXPECT_EQ(found.torn, 1u);
  EXPECT_EQ(found.lost, 1u);
  EXPECT_EQ(ring->at(25), nullptr);
  EXPECT_EQ(ring->at(40), nullptr);
  EXPECT_NE(ring->at(39), nullptr);
  EXPECT_TRUE(ring->append(make_record(simple())));
  EXPECT_EQ(ring->head(), 41u);
}

TEST(JournalRing, AForeignFileIsRefused) {
  store::TestFolder test;
  ASSERT_TRUE(store::write_private(test.path / "r", std::string(9000, 'x')));
  EXPECT_EQ(JournalRing::open(test.path / "r", 32).error().code, "journal_damaged");
}

struct Fixture {
  store::TestFolder test;
  store::DataFolder folder = test.folder();
  std::unique_ptr<store::Store> store = store::Store::open(folder).value();
  std::unique_ptr<Ledger> open(int loops = 2, std::uint64_t records = 1024) {
    return Ledger::open(*store, folder,
                        {.loops = loops,
                         .ring_records = records,
                         .sync_every = 5ms,
                         .fold_every = 20ms,
                         .trouble = nullptr})
        .value();
  }
  Totals all(Ledger& ledger) {
    const auto rows = ledger.usage({}).value();
    return rows.empty() ? Totals{} : rows[0].totals;
  }
};

TEST(Ledger, WhatWasJustAppendedIsInTheUsage) {
  Fixture f;
  auto ledger = f.open();
  EXPECT_TRUE(ledger->append(0, simple("a")));
  EXPECT_TRUE(ledger->append(1, simple("a")));
  Settlement failed = simple("b");
  failed.error = ErrorKind::UpstreamBroken;
  failed.cost.reset();
  failed.usage.source = UsageSource::Estimated;
  failed.cut_by_client = true;
  EXPECT_TRUE(ledger->append(1, failed));
  UsageQuery query;
  query.by_key = query.by_day = query.by_source = true;
  const auto rows = ledger->usage(query).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].key, "a");
  EXPECT_EQ(to_date(*rows[0].day), "2026-11-24");
  EXPECT_EQ(rows[0].source, UsageSource::Reported);
  EXPECT_EQ(rows[0].totals.requests, 2);
  EXPECT_EQ(rows[0].totals.tokens[0], 200);
  EXPECT_EQ(rows[0].totals.tokens[3], 40);
  EXPECT_EQ(rows[0].totals.cost_micros(), 720);
  EXPECT_EQ(rows[0].totals.unpriced, 0);
  EXPECT_EQ(rows[1].source, UsageSource::Estimated);
  EXPECT_EQ(rows[1].totals.failed, 1);
  EXPECT_EQ(rows[1].totals.cut_by_client, 1);
  EXPECT_EQ(rows[1].totals.cost_micros(), std::nullopt);
  EXPECT_EQ(rows[1].totals.unpriced, 1);
  EXPECT_EQ(ledger->unfolded(), 0u);
}

TEST(Ledger, FiltersAndGroups) {
  Fixture f;
  auto ledger = f.open();
  for (int day = 0; day < 3; ++day) {
    for (std::string_view key : {"a", "b"}) {
      Settlement s = simple(key);
      s.time = kTime + day * 24h;
      s.model = key == "a" ? "fast" : "smart";
      ASSERT_TRUE(ledger->append(0, s));
    }
  }
  UsageQuery query;
  query.key = "a";
  EXPECT_EQ(ledger->usage(query).value()[0].totals.requests, 3);
  query = {};
  query.from_day = day_of(kTime + 24h);
  query.by_model = true;
  auto rows = ledger->usage(query).value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].model, "fast");
  EXPECT_EQ(rows[0].totals.requests, 2);
  query.to_day = query.from_day;
  query.model = "smart";
  rows = ledger->usage(query).value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].totals.requests, 1);
  query = {};
  query.tenant = "nobody";
  EXPECT_TRUE(ledger->usage(query).value().empty());
}

TEST(Ledger, SurvivesRestartsWithFewerLoopsAndOtherSizes) {
  Fixture f;
  for (int loops : {4, 1, 2}) {
    auto ledger = f.open(loops, loops == 2 ? 64 : 1024);
    for (int i = 0; i < 10 * loops; ++i) ASSERT_TRUE(ledger->append(i % loops, simple()));
  }
  auto ledger = f.open(1);
  EXPECT_EQ(f.all(*ledger).requests, 70);
  EXPECT_FALSE(std::filesystem::exists(f.test.path / "journal" / "loop-3.ring"));
}

TEST(Ledger, ADamagedRingIsSetAsideAndTold) {
  Fixture f;
  f.open(1).reset();
  ASSERT_TRUE(store::write_private(f.test.path / "journal" / "loop-0.ring", std::string(99, 'x')));
  auto ledger = f.open(1);
  ASSERT_EQ(ledger->recovered().damaged.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(ledger->recovered().damaged[0]));
  EXPECT_TRUE(ledger->append(0, simple()));
  EXPECT_EQ(f.all(*ledger).requests, 1);
}

// With a store that takes nothing the ring fills up and says so; then the store comes back.
TEST(Ledger, AFullRingIsToldAndEmptiedWhenTheStoreIsBack) {
  Fixture f;
  auto ledger = f.open(1, 64);
  std::atomic<bool> release{false};
  ASSERT_TRUE(f.store->write(
      [&release](store::Database&) -> Result<void> {
        while (!release) std::this_thread::sleep_for(1ms);
        return {};
      },
      [](Result<void>) {}));
  int accepted = 0;
  while (ledger->append(0, simple())) ++accepted;
  EXPECT_EQ(accepted, 64);
  EXPECT_FALSE(ledger->has_room(0));
  release = true;
  EXPECT_EQ(f.all(*ledger).requests, accepted);
  EXPECT_TRUE(ledger->has_room(0));
  EXPECT_TRUE(ledger->append(0, simple()));
}

TEST(Ledger, FoldingRunsBesideTheLoops) {
  Fixture f;
  auto ledger = f.open(2, 256);
  constexpr int kEach = 20'000;
  std::vector<std::thread> loops;
  for (int loop = 0; loop < 2; ++loop) {
    loops.emplace_back([&ledger, loop] {
      for (int i = 0; i < kEach; ++i) {
        while (!ledger->append(loop, simple(loop == 0 ? "a" : "b"))) std::this_thread::yield();
      }
    });
  }
  std::int64_t before = 0;
  for (int i = 0; i < 10; ++i) {
    const auto now = f.all(*ledger).requests;
    EXPECT_GE(now, before);
    before = now;
  }
  for (auto& loop : loops) loop.join();
  const Totals totals = f.all(*ledger);
  EXPECT_EQ(totals.requests, 2 * kEach);
  EXPECT_EQ(totals.tokens[0], 2 * kEach * 100);
  EXPECT_EQ(totals.cost, Nanos{2} * kEach * 360'000);
}

// The heart of the matter: a process is killed at any moment, again and again on the same folder;
// nothing that was appended is missing from the totals, and nothing is there twice.
TEST(Ledger, KillAtAnyTimeCountsEveryRecordOnce) {
  store::TestFolder test;
  auto* appended = static_cast<std::atomic<std::uint64_t>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  new (appended) std::atomic<std::uint64_t>(0);
  std::mt19937 random(7);
  std::uint64_t torn = 0;
  constexpr int kRounds = 15;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto folder = store::DataFolder::open(test.path);
      auto store = store::Store::open(*folder);
      if (!store) ::_exit(2);
      auto ledger = Ledger::open(**store, *folder,
                                 {.loops = 1,
                                  .ring_records = 256,
                                  .sync_every = 1ms,
                                  .fold_every = 1ms,
                                  .trouble = nullptr});
      if (!ledger) ::_exit(3);
      while (true) {
        if ((*ledger)->append(0, simple())) appended->fetch_add(1);
      }
    }
    // Once, however slow the machine is, it is killed while it appends.
    for (int i = 0; round == 0 && appended->load() == 0 && i < 20'000; ++i) ::usleep(1000);
    ::usleep(10'000 + random() % 70'000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  }
  auto folder = test.folder();
  auto store = store::Store::open(folder).value();
  auto ledger =
      Ledger::open(*store, folder, {.loops = 1, .ring_records = 256, .trouble = nullptr}).value();
  torn = ledger->recovered().torn;
  const auto rows = ledger->usage({}).value();
  ASSERT_EQ(rows.size(), 1u);
  const auto counted = static_cast<std::uint64_t>(rows[0].totals.requests);
  // A kill may fall between the append and the count of it: one a round at most.
  EXPECT_GE(counted, appended->load());
  EXPECT_LE(counted, appended->load() + kRounds);
  EXPECT_EQ(rows[0].totals.tokens[0], rows[0].totals.requests * 100);
  EXPECT_LE(torn, 1u);
  EXPECT_GT(counted, 256u);
  ::munmap(appended, 4096);
}

TEST(Ledger, ADiskThatIsFullAtTheStartIsAnError) {
  store::TestFolder test;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    auto folder = store::DataFolder::open(test.path);
    auto store = store::Store::open(*folder);
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto ledger = Ledger::open(**store, *folder, {.trouble = nullptr});
    ::_exit(!ledger && ledger.error().code == "store_full" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Days, AreReadAndWritten) {
  EXPECT_EQ(to_date(0), "1970-01-01");
  EXPECT_EQ(day_from_date("2026-11-24"), day_of(kTime));
  EXPECT_EQ(to_date(*day_from_date("2024-02-29")), "2024-02-29");
  for (const char* bad : {"", "2026-11-31", "2025-02-29", "26-11-24", "2026/11/24", "2026-1a-24"}) {
    EXPECT_FALSE(day_from_date(bad)) << bad;
  }
}

TEST(Cost, IsPrintedForTheCurious) {
  Fixture f;
  auto ledger = f.open(1, 1 << 15);
  const Settlement s = simple("abcdefghijklmnop");
  const auto thread_nanoseconds = [] {
    timespec time;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  for (const char* lap : {"first", "second"}) {
    constexpr int kTimes = 32'000;
    const double before = thread_nanoseconds();
    for (int i = 0; i < kTimes; ++i) ASSERT_TRUE(ledger->append(0, s));
    std::printf("%s lap: append %.0f ns of this thread's time\n", lap,
                (thread_nanoseconds() - before) / kTimes);
    ASSERT_TRUE(ledger->fold());
  }
}

}  // namespace
}  // namespace causeway::ledger
