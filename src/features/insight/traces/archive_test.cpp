// The archive through its own doors: records in at one end, searches at the other.
#include "features/insight/traces/archive.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/store/test_folder.h"

namespace causeway::traces {
namespace {

using namespace std::chrono_literals;

// 2026-11-26T12:00:00Z
constexpr std::int64_t kNoon = 1'795'694'400'000'000;

Record record(std::string_view id, std::string_view model = "fast", int status = 200) {
  Record one;
  one.id.set(id);
  std::fill(one.trace_id.begin(), one.trace_id.end(), 'a');
  one.key_id.set("k1");
  one.tenant.set("acme");
  one.user.set("ann");
  one.model.set(model);
  one.policy.set("everyone");
  one.dialect = "openai";
  one.started_micros = kNoon;
  one.status = static_cast<std::uint16_t>(status);
  if (status >= 400) {
    one.error = static_cast<std::int8_t>(ErrorKind::Timeout);
    one.code.set("total_timeout");
  }
  one.usage.source = UsageSource::Reported;
  one.usage.input_uncached = 12;
  one.cost_micros = 1500;
  one.total_micros = 250'000;
  one.marks[0] = {1, false, 4321};
  one.mark_count = 1;
  one.attempts[0].target.set("fake/echo");
  one.attempts[0].end = AttemptEnd::Answered;
  one.attempt_count = 1;
  one.fired[0] = {"pii", "email", "mask", 3};
  one.fired_count = 1;
  return one;
}

std::unique_ptr<Contents> said(std::string request, std::string_view answer) {
  auto contents = std::make_unique<Contents>();
  contents->set_request(std::move(request));
  contents->add({}, answer);
  return contents;
}

class World {
 public:
  explicit World(KeepSettings keep = {}, std::size_t queue = 1024,
                 std::chrono::milliseconds every = 5ms)
      : folder_(test_.folder()),
        store_(store::Store::open(folder_).value()),
        sealed_(store::Sealed::open(*store_, folder_).value()),
        log_({.sink = [this](std::string_view line) { lines_ += line; }}, clock_) {
    clock_.set_wall(Wall(std::chrono::microseconds(kNoon)));
    open(keep, queue, every);
  }
  void open(KeepSettings keep = {}, std::size_t queue = 1024,
            std::chrono::milliseconds every = 5ms) {
    archive_.reset();
    archive_ = std::make_unique<Archive>(Archive::Parts{.folder = folder(),
                                                        .sealed = *sealed_,
                                                        .log = log_,
                                                        .clock = clock_,
                                                        .keep = keep,
                                                        .program = "1.2.3",
                                                        .queue = queue,
                                                        .every = every});
    archive_->set_stages({"admit", "identify"});
  }
  void close() { archive_.reset(); }
  bool add(const Record& one, std::unique_ptr<Contents> contents = nullptr) {
    Record* place = archive_->begin(0);
    if (!place) return false;
    *place = one;
    archive_->end(0, std::move(contents));
    return true;
  }
  std::vector<std::string> ids(const Filter& filter) {
    const auto answer = archive_->search(filter);
    EXPECT_TRUE(answer.complete);
    std::vector<std::string> ids;
    for (const Found& found : answer.results.traces) ids.push_back(found.trace.request_id);
    return ids;
  }
  std::vector<std::string> with(Field field, std::string pattern) {
    Filter filter;
    filter.names.emplace_back(field, std::move(pattern));
    return ids(filter);
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& file : Partitions(folder()).list()) files.push_back(file.path);
    return files;
  }
  std::filesystem::path folder() const { return test_.path / "traces"; }
  Archive& archive() { return *archive_; }
  const std::string& lines() const { return lines_; }
  ManualClock& clock() { return clock_; }
  store::Sealed& sealed() { return *sealed_; }

 private:
  store::TestFolder test_;
  store::DataFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Sealed> sealed_;
  ManualClock clock_;
  std::string lines_;
  log::Log log_;
  std::unique_ptr<Archive> archive_;
};

using Ids = std::vector<std::string>;

TEST(Archive, ARecordIsReadAsItWasWritten) {
  World world;
  world.add(record("r1", "fast", 504), said(R"({"a":"b"})", "hi"));
  const auto answer = world.archive().search({});
  ASSERT_EQ(answer.results.traces.size(), 1u);
  std::string out;
  text::JsonWriter json(out);
  answer.results.traces[0].trace.write(json, "ci");
  for (const char* part :
       {R"("request_id":"r1")", R"("trace_id":"aaaa)", R"("key_id":"k1","key":"ci")",
        R"("tenant":"acme","user":"ann")", R"("dialect":"openai","model":"fast")",
        R"("status":504,"error":"timeout","code":"total_timeout")", R"("input_tokens":12)",
        R"("cost":0.0015,"total_us":250000)", R"("program":"1.2.3","has_contents":true)",
        R"("stages":[{"stage":"identify","ns":4321,"ended":false}])",
        R"("attempts":[{"target":"fake/echo","dialect":"","end":"answered","error":null,"us":0}])",
        R"("found":[{"stage":"pii","kind":"email","action":"mask","count":3}])"}) {
    EXPECT_NE(out.find(part), out.npos) << part << "\n" << out;
  }
}

TEST(Archive, EveryFilterFinds) {
  World world;
  Record slow = record("slow", "smart");
  slow.total_micros = 9'000'000;
  slow.cost_micros = 2'000'000;
  slow.user.set("bob");
  world.add(record("ok"));
  world.add(record("bad", "fast", 504));
  world.add(slow);
  EXPECT_EQ(world.ids({}), (Ids{"slow", "bad", "ok"}));
  EXPECT_EQ(world.with(Field::Model, "fast"), (Ids{"bad", "ok"}));
  EXPECT_EQ(world.with(Field::Model, "sm*"), (Ids{"slow"}));
  EXPECT_EQ(world.with(Field::Model, "other"), Ids{});
  EXPECT_EQ(world.with(Field::User, "bob"), (Ids{"slow"}));
  EXPECT_EQ(world.with(Field::Status, "5*"), (Ids{"bad"}));
  EXPECT_EQ(world.with(Field::Error, "*"), (Ids{"bad"}));
  EXPECT_EQ(world.with(Field::Code, "total_timeout"), (Ids{"bad"}));
  EXPECT_EQ(world.with(Field::Target, "fake/*").size(), 3u);
  EXPECT_EQ(world.with(Field::Found, "email").size(), 3u);
  Filter filter;
  filter.min_micros = 8'999'999;
  EXPECT_EQ(world.ids(filter), (Ids{"slow"}));
  filter = {};
  filter.min_cost = 2'000'000;
  EXPECT_EQ(world.ids(filter), (Ids{"slow"}));
  filter = {};
  filter.id = "bad";
  EXPECT_EQ(world.ids(filter), (Ids{"bad"}));
  filter.id = std::string(32, 'a');
  EXPECT_EQ(world.ids(filter).size(), 3u);
  filter = {};
  filter.names = {{Field::Model, "fast"}, {Field::User, "bob"}};
  EXPECT_EQ(world.ids(filter), Ids{});
}

TEST(Archive, FindsWhatFailedThoughAnotherAnswered) {
  World world;
  Record second_try = record("second try");
  second_try.attempts[1] = second_try.attempts[0];
  second_try.attempts[0].target.set("broken/echo");
  second_try.attempts[0].end = AttemptEnd::Failed;
  second_try.attempt_count = 2;
  Record skipped = second_try;
  skipped.id.set("skipped");
  skipped.attempts[0].end = AttemptEnd::Skipped;  // nobody was asked
  Record unsure = second_try;
  unsure.id.set("unsure");
  unsure.attempts[0].target.set("small/echo");
  unsure.attempts[0].end = AttemptEnd::Unsure;  // tried in vain as well
  for (const Record& one : {record("first try"), unsure, second_try, skipped}) world.add(one);
  EXPECT_EQ(world.with(Field::FailedTarget, "*"), (Ids{"second try", "unsure"}));
  EXPECT_EQ(world.with(Field::FailedTarget, "small/*"), (Ids{"unsure"}));
  EXPECT_EQ(world.with(Field::FailedTarget, "broken/*"), (Ids{"second try"}));
  EXPECT_EQ(world.with(Field::FailedTarget, "fake/*"), Ids{}) << "it was tried, and answered";
  EXPECT_EQ(world.with(Field::Error, "*"), Ids{});
}

// The index and the scan must say the same; so must pages of any size, put together.
TEST(Archive, AnIndexFindsWhatAScanFinds) {
  World world;
  const char* models[] = {"a", "b", "c"};
  Ids expected;
  for (int i = 0; i < 500; ++i) {
    const bool rare = i % 41 == 7;
    Record one = record("r" + std::to_string(i), models[i % 3], i % 5 == 0 ? 504 : 200);
    if (rare) one.tenant.set("rare");
    one.total_micros = static_cast<std::uint32_t>(i * 37 % 501) * 1000;
    world.add(one);
    if (rare && i % 3 == 1) expected.insert(expected.begin(), "r" + std::to_string(i));
  }
  Filter filter;
  filter.names = {{Field::Tenant, "rare"}, {Field::Model, "b"}};
  EXPECT_FALSE(expected.empty());
  auto found = world.ids(filter);
  std::ranges::sort(found);
  std::ranges::sort(expected);
  EXPECT_EQ(found, expected);
  for (const bool indexed : {true, false}) {
    filter = {};
    filter.limit = 1000;
    if (indexed) filter.names = {{Field::Tenant, "rare"}};
    const auto all = world.ids(filter);
    Ids pages;
    filter.limit = 7;
    for (int i = 0; i < 200; ++i) {
      const auto answer = world.archive().search(filter);
      for (const auto& one : answer.results.traces) pages.push_back(one.trace.request_id);
      if (answer.results.stopped_at == 0) break;
      filter.to = answer.results.stopped_at - 1;
    }
    EXPECT_EQ(pages, all);
  }
  filter = {};
  filter.min_micros = 450'000;
  filter.limit = 1000;
  const auto slow = world.ids(filter);
  EXPECT_EQ(slow.size(), 50u);  // 450 to 500, each once, but 464 would be that of i = 500
}

TEST(Archive, ContentsAreSealedAndSearched) {
  World world;
  world.add(record("r1"), said(R"({"messages":[{"content":"Das Ge\u00e4st des Bluebird\nflog"}]})",
                               "A HERON answers"));
  world.add(record("r2"));
  Filter filter;
  for (const char* words : {"bluebird", "GE\xC3\xA4ST", "a heron", "bluebird\nflog"}) {
    filter.contains = words;
    EXPECT_EQ(world.ids(filter), (Ids{"r1"})) << words;
  }
  filter.contains = "sparrow";
  EXPECT_EQ(world.ids(filter), Ids{});
  const auto all = world.archive().search({});
  const auto contents = world.archive().contents(all.results.traces[1].trace.id);
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->answer.at(0).text, "A HERON answers");
  EXPECT_EQ(world.archive().contents(all.results.traces[0].trace.id).error().code, "no_contents");
  world.close();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.folder())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(bytes.find("Bluebird"), bytes.npos) << entry.path();
    EXPECT_EQ(bytes.find("HERON"), bytes.npos) << entry.path();
    EXPECT_EQ(entry.status().permissions() & std::filesystem::perms(077),
              std::filesystem::perms::none);
  }
  world.open();
  ASSERT_TRUE(world.sealed().erase("acme"));
  filter.contains = "bluebird";
  EXPECT_EQ(world.ids(filter), Ids{});  // and no error
}

TEST(Archive, OneFileADay) {
  World world;
  Record one = record("first");
  world.add(one);
  ASSERT_TRUE(world.archive().flush(5s));
  one = record("second");
  one.started_micros += 86'400'000'000;
  world.clock().advance(24h);
  world.add(one);
  EXPECT_EQ(world.ids({}), (Ids{"second", "first"}));
  EXPECT_EQ(world.files().size(), 2u);
  Filter filter;
  filter.from = kNoon + 3'600'000'000;
  EXPECT_EQ(world.ids(filter), (Ids{"second"}));
  // Opened anew, it goes on in the same file, with greater ids.
  world.open();
  one.id.set("third");
  one.started_micros -= 1000;
  world.add(one);
  EXPECT_EQ(world.ids({}), (Ids{"third", "second", "first"}));
  EXPECT_EQ(world.files().size(), 2u);
}

TEST(Archive, WhatIsTooOldIsUnlinked) {
  KeepSettings keep;
  keep.keep = std::chrono::days(3);
  World world(keep);
  for (int day = 0; day < 6; ++day) {
    Record one = record("day" + std::to_string(day));
    one.started_micros = kNoon + day * std::int64_t{86'400'000'000};
    world.clock().set_wall(Wall(std::chrono::microseconds(one.started_micros)));
    world.add(one);
    ASSERT_TRUE(world.archive().flush(5s));
  }
  world.open(keep);  // which looks after what is kept, as the end does
  world.close();
  const auto files = world.files();
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const auto first = time_of_name(file.filename().string().substr(0, 23));
    EXPECT_GT(*first, kNoon + 2 * std::int64_t{86'400'000'000});
  }
  EXPECT_LE(files.size(), 24u);
}

TEST(Archive, TheSizeIsBounded) {
  KeepSettings keep;
  keep.max_size = config::Bytes{4 << 20};
  World world(keep);
  std::string words;
  for (int i = 0; i < 3000; ++i) words += std::to_string(i * 7919);
  for (int i = 0; i < 1500; ++i) {
    ASSERT_TRUE(world.add(record("r" + std::to_string(i)), said(words, "")));
    if (i % 50 == 0) {
      ASSERT_TRUE(world.archive().flush(5s));
    }
  }
  ASSERT_TRUE(world.archive().flush(5s));
  world.close();
  std::uint64_t bytes = 0;
  for (const auto& file : Partitions(world.folder()).list()) bytes += file.bytes;
  EXPECT_LE(bytes, 4u << 20);
  EXPECT_GT(bytes, 1u << 20);
  world.open(keep);
  const auto left = world.ids({});
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.front(), "r1499");  // the oldest go
}

TEST(Archive, AFullQueueDropsAndCounts) {
  World world({}, 4, 1h);
  int taken = 0;
  // The writer is woken when half is full, so that it may have taken some already.
  for (int i = 0; i < 2000; ++i) taken += world.add(record("r"));
  const auto dropped = world.archive().counts().dropped_queue;
  EXPECT_EQ(taken + static_cast<int>(dropped), 2000);
  EXPECT_GT(dropped, 0u);
  ASSERT_TRUE(world.archive().flush(5s));
  EXPECT_EQ(world.archive().counts().recorded, static_cast<std::uint64_t>(taken));
}

TEST(Archive, ADamagedFileIsPutAside) {
  for (const bool torn : {true, false}) {
    World world;
    world.add(record("before"));
    ASSERT_TRUE(world.archive().flush(5s));
    world.close();
    const auto path = world.files().at(0);
    if (torn) {
      std::filesystem::resize_file(path, 5000);
    } else {
      std::ofstream(path, std::ios::binary) << "this is no database at all";
    }
    world.open();
    world.add(record("after"));
    ASSERT_TRUE(world.archive().flush(5s));
    EXPECT_EQ(world.ids({}), (Ids{"after"}));
    EXPECT_EQ(world.archive().counts().damaged, 1u);
    EXPECT_TRUE(std::filesystem::exists(path.string() + ".damaged"));
    world.close();
    EXPECT_NE(world.lines().find("put aside"), std::string::npos);
  }
}

TEST(Archive, ADamagedTraceHidesNoOthers) {
  World world;
  for (const char* id : {"r1", "r2", "r3"}) world.add(record(id));
  ASSERT_TRUE(world.archive().flush(5s));
  world.close();
  {
    auto db = store::Database::open(world.files().at(0), store::Database::Mode::Write).value();
    ASSERT_TRUE(
        db->script("update bodies set body = x'ff' where id = (select min(id) + 1 from "
                   "bodies)"));
  }
  world.open();
  const auto answer = world.archive().search({});
  ASSERT_EQ(answer.results.traces.size(), 2u);
  EXPECT_EQ(answer.results.traces[0].trace.request_id, "r3");
  EXPECT_EQ(answer.results.traces[1].trace.request_id, "r1");
  EXPECT_FALSE(answer.complete);
}

TEST(Archive, AFolderThatTakesNothingCostsNobodyAnything) {
  World world;
  {
    std::ofstream(world.folder()) << "a file where the folder should be";
  }
  for (int i = 0; i < 10; ++i) world.add(record("r"));
  ASSERT_TRUE(world.archive().flush(5s));
  EXPECT_EQ(world.archive().counts().dropped_disk, 10u);
  std::filesystem::remove(world.folder());
  world.clock().advance(2s);
  world.add(record("again"));
  EXPECT_EQ(world.ids({}), (Ids{"again"}));
}

TEST(Archive, TheTailGoesOnWhereItStopped) {
  World world;
  Filter filter;
  filter.oldest_first = true;
  filter.limit = 2;
  std::int64_t after = world.archive().search(filter).newest;
  for (const char* id : {"r1", "r2", "r3"}) world.add(record(id));
  Ids seen;
  for (int i = 0; i < 3; ++i) {
    filter.from = after + 1;
    const auto answer = world.archive().search(filter);
    for (const auto& one : answer.results.traces) seen.push_back(one.trace.request_id);
    after = answer.results.stopped_at != 0 ? answer.results.stopped_at : answer.newest;
  }
  EXPECT_EQ(seen, (Ids{"r1", "r2", "r3"}));
}

TEST(Partitions, NamesOfTimes) {
  EXPECT_EQ(name_of_time(kNoon), "20261126T120000.000000Z");
  EXPECT_EQ(time_of_name("20261126T120000.000000Z"), kNoon);
  for (const char* wrong : {"", "20261126T120000.000000", "20261326T120000.000000Z",
                            "20261126T120000.00000xZ", "20261126T126000.000000Z"}) {
    EXPECT_EQ(time_of_name(wrong), std::nullopt) << wrong;
  }
}

TEST(Trace, ClassesKeepTheOrder) {
  std::uint32_t before = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) {
    EXPECT_GE(class_of(n), before);
    before = class_of(n);
  }
  EXPECT_LT(class_of(~std::uint64_t{0}), 256u);
}

// Whatever stands in a file, reading ends, with an error or a trace.
TEST(Trace, DamagedBytesAreRefused) {
  Head head;
  std::uint32_t next = 0;
  std::string bytes = encode(
      record("r1"), true, {{"admit", "identify"}, "1"},
      [&](Field, std::string_view) { return ++next; }, head);
  const NameText text = [](std::uint32_t) { return std::string_view("name"); };
  ASSERT_TRUE(Trace::decode(1, bytes, text));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(Trace::decode(1, std::string_view(bytes).substr(0, cut), text)) << cut;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(0xFF);
    static_cast<void>(Trace::decode(1, changed, text));
  }
}

}  // namespace
}  // namespace causeway::traces
