#include <gtest/gtest.h>

#include <string>

#include "core/snapshot.h"
#include "dialects/openai/dialect.h"
#include "features/traffic/anomalies/admin.h"
#include "features/traffic/anomalies/stage.h"
#include "platform/http/memory_stream.h"
#include "platform/store/test_folder.h"

namespace causeway::anomalies {
namespace {

using namespace std::chrono_literals;

TEST(Subject, HasOneSpelling) {
  EXPECT_EQ(parse_subject("192.0.2.7", "")->who, "192.0.2.7");
  EXPECT_EQ(parse_subject("::ffff:192.0.2.7", "")->who, "192.0.2.7");
  EXPECT_EQ(parse_subject("192.0.2.7/32", "")->who, "192.0.2.7");
  EXPECT_EQ(parse_subject("2001:DB8:1:2::9", "")->who, "2001:db8:1:2::/64");
  EXPECT_EQ(parse_subject("2001:db8:1:2::/64", "")->who, "2001:db8:1:2::/64");
  EXPECT_EQ(parse_subject("10.0.0.0/8", "")->who, "10.0.0.0/8");
  EXPECT_EQ(parse_subject("10.1.2.3/08", "")->who, "10.0.0.0/8");
  EXPECT_EQ(parse_subject("::FFFF:10.1.2.3/104", "")->who, "10.0.0.0/8");
  EXPECT_EQ(parse_subject("2001:db8::1/32", "")->who, "2001:db8::/32");
  EXPECT_EQ(parse_subject("2001:db8::1/128", "")->who, "2001:db8::1/128");
  EXPECT_TRUE(parse_subject("10.0.0.0/8", "")->network);
  EXPECT_EQ(parse_subject("user:ana", "acme")->tenant, "acme");
  EXPECT_EQ(parse_subject("key:ci", "")->kind, Kind::Key);
}

TEST(Subject, WhatIsNoneIsRefused) {
  for (const char* text : {"", "user:", "key:", "ana", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "/8",
                           "::1/129", "user:a\nb", "1.2.3.4 ", "[::1]", "1.2.3.4/-1"}) {
    EXPECT_FALSE(parse_subject(text, "")) << text;
  }
  EXPECT_FALSE(parse_subject("user:" + std::string(201, 'a'), ""));
  EXPECT_FALSE(parse_subject("192.0.2.7", "acme"));
}

TEST(Subject, WhatIsTooWide) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/3", "2001::/15",
                           "::ffff:0:0/96", "::/80", "::ffff:10.0.0.0/103"}) {
    EXPECT_TRUE(is_too_wide(*parse_subject(text, ""))) << text;
  }
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "2001::/16", "2001:db8::/32", "::1",
                           "::ffff:10.0.0.0/104", "user:0.0.0.0/0", "key:a/0"}) {
    EXPECT_FALSE(is_too_wide(*parse_subject(text, ""))) << text;
  }
}

TEST(Marks, TellSubjectsApart) {
  const Marks marks;
  const auto at = [&](const char* text) { return marks.of_address(*net::address_bytes(text)); };
  EXPECT_EQ(at("2001:db8:1:2::9"), at("2001:db8:1:2:ffff::1"));
  EXPECT_NE(at("2001:db8:1:2::9"), at("2001:db8:1:3::9"));
  EXPECT_NE(at("10.0.0.1"), at("10.0.0.2"));
  EXPECT_NE(marks.of_user("ab", "c"), marks.of_user("a", "bc"));
  EXPECT_NE(marks.of_user("", "c"), marks.of_key("c"));
  const std::string longest(100'000, 'u');
  EXPECT_EQ(marks.of_user("t", longest), subject_of_user("t", longest).mark(marks));
  EXPECT_EQ(parse_subject("user:ana", "acme")->mark(marks), marks.of_user("acme", "ana"));
  EXPECT_EQ(parse_subject("192.0.2.7", "")->mark(marks), at("::ffff:192.0.2.7"));
}

class RatesTest : public ::testing::Test {
 protected:
  // Sends so many, evenly over ten seconds; how many went before the first excess.
  int send(Mark mark, int count) {
    for (int i = 0; i < count; ++i) {
      if (rates.note(Kind::Address, mark, limits, now + i * 10s / count)) return i;
    }
    return count;
  }
  void windows(Mark mark, int count, int each) {
    for (int i = 0; i < count; ++i, now += 10s) ASSERT_EQ(send(mark, each), each) << i;
  }
  Rates rates;
  Limits limits{.floor = 100, .factor = 10, .subjects = 65'536};
  Monotonic now{1h};
};

TEST_F(RatesTest, TheFloorIsNeverTooMany) {
  for (int i = 0; i < 20; ++i, now += 20s) EXPECT_EQ(send(1, 100), 100);
  EXPECT_EQ(send(2, 200), 100);
}

TEST_F(RatesTest, TheLastTenSecondsAreLookedAtNotTheClocksWindows) {
  // Ninety at the end of one window and ninety at the start of the next are 180 in a moment.
  for (int i = 0; i < 90; ++i) EXPECT_FALSE(rates.note(Kind::Address, 1, limits, now + 9900ms));
  int went = 0;
  while (went < 90 && !rates.note(Kind::Address, 1, limits, now + 10100ms)) ++went;
  EXPECT_LT(went, 15);
}

TEST_F(RatesTest, WhoAlwaysAsksMuchMayAskMuch) {
  windows(1, 200, 90);
  EXPECT_GT(send(1, 700), 600);  // ten times 90 and less
  now += 20s;
  EXPECT_LT(send(1, 2000), 1200);
  now += 20s;
  EXPECT_EQ(send(2, 2000), send(3, 2000)) << "a newcomer is judged by what is usual for all";
}

TEST_F(RatesTest, AFloodTeachesNothing) {
  windows(1, 60, 5);
  for (int i = 0; i < 50; ++i, now += 10s) ASSERT_NEAR(send(1, 5000), 100, 6);
  EXPECT_LT(rates.usual(Kind::Address), 10);
}

TEST_F(RatesTest, IsBounded) {
  limits.subjects = 1024;
  for (Mark mark = 0; mark < 100'000; ++mark) {
    (void)rates.note(Kind::Address, mark * 0x9E3779B97F4A7C15ull, limits, now);
  }
  EXPECT_LE(rates.size(), 1024u);
  EXPECT_GT(rates.size(), 900u);
}

TEST_F(RatesTest, WhoIsThereStaysWhileOthersPassBy) {
  limits.subjects = 1024;
  const Mark mine = 0x1234'5678'9ABC'DEF0;
  for (int i = 0; i < 100; ++i, now += 10s) {
    ASSERT_FALSE(rates.note(Kind::Address, mine, limits, now));
    for (Mark mark = 0; mark < 500; ++mark) {
      (void)rates.note(Kind::Address, (i * 500 + mark) * 0x9E3779B97F4A7C15ull, limits, now);
    }
    ASSERT_FALSE(rates.note(Kind::Address, mine, limits, now));
  }
}

class BlocksTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    blocks.reset();
    store.reset();
    folder.reset();
    folder.emplace(files.folder());
    store = store::Store::open(*folder).value();
    blocks.emplace(*store);
    ASSERT_TRUE(blocks->load());
  }
  Block spike(const char* who) {
    return blocks->add_spike(*parse_subject(who, ""), "too many", lengths, now);
  }
  std::optional<InForce> find(const char* who) {
    return blocks->find(parse_subject(who, "")->mark(blocks->marks()), now);
  }

  store::TestFolder files;
  std::optional<store::DataFolder> folder;
  std::unique_ptr<store::Store> store;
  std::optional<Blocks> blocks;
  Lengths lengths{.first = 1min, .longest = 24h, .forget = 6h};
  Wall now{std::chrono::hours(500'000)};
};

TEST_F(BlocksTest, GrowStepByStepToTheLongest) {
  for (const auto length : {1min, 5min, 30min, 180min, 1080min, 1440min, 1440min}) {
    const Block block = spike("192.0.2.7");
    EXPECT_EQ(block.until - block.since, length);
    EXPECT_TRUE(find("192.0.2.7"));
    EXPECT_FALSE(find("192.0.2.8"));
    now = block.until;
    EXPECT_FALSE(find("192.0.2.7"));
  }
  lengths.longest = 10min;
  EXPECT_EQ(spike("192.0.2.7").until, now + 10min);
}

TEST_F(BlocksTest, GoodBehaviourIsRewarded) {
  for (int i = 0; i < 3; ++i) now = spike("192.0.2.7").until;
  now += 6h;
  EXPECT_EQ(spike("192.0.2.7").step, 3u);
  now += 30min + 24h;
  EXPECT_EQ(spike("192.0.2.7").step, 1u);
}

TEST_F(BlocksTest, TwoWhoSeeTheSameSpikeMakeOneBlock) {
  EXPECT_EQ(spike("192.0.2.7").step, 1u);
  now += 1ms;
  EXPECT_EQ(spike("192.0.2.7").step, 1u);
}

TEST_F(BlocksTest, OutliveARestartWithTheirSteps) {
  now = spike("192.0.2.7").until;
  const Block second = spike("192.0.2.7");
  (void)blocks->add_spike(subject_of_user("acme", "ana"), "too many", lengths, now);
  auto operators = *parse_subject("10.0.0.0/8", "");
  ASSERT_TRUE(blocks->add({operators, now, now + 1h, 0, "noise", "key_1"}));
  open();
  EXPECT_EQ(find("192.0.2.7"), (InForce{second.until, false}));
  EXPECT_TRUE(blocks->find(blocks->marks().of_user("acme", "ana"), now));
  EXPECT_FALSE(blocks->find(blocks->marks().of_user("globex", "ana"), now));
  EXPECT_TRUE(blocks->find_network(*net::address_bytes("10.1.2.3"), now));
  EXPECT_FALSE(blocks->find_network(*net::address_bytes("11.1.2.3"), now));
  EXPECT_EQ(blocks->list(now).size(), 3u);
  now = second.until;
  EXPECT_EQ(spike("192.0.2.7").step, 3u);
  ASSERT_EQ(blocks->remove(operators)->size(), 1u);
  ASSERT_TRUE(blocks->remove(operators)->empty());
  open();
  EXPECT_FALSE(blocks->find_network(*net::address_bytes("10.1.2.3"), now));
}

TEST_F(BlocksTest, AreBounded) {
  constexpr std::size_t kMost = 40;
  blocks.emplace(*store, kMost);
  ASSERT_TRUE(blocks->load());
  for (std::uint32_t i = 0; i < kMost + 200; ++i) {
    const auto text = "10." + std::to_string(i / 65'536) + '.' + std::to_string(i / 256 % 256) +
                      '.' + std::to_string(i % 256);
    (void)spike(text.c_str());
  }
  EXPECT_EQ(blocks->list(now).size(), kMost);
  for (std::size_t i = 0; i < kMost; ++i) {
    const auto network = *parse_subject("172." + std::to_string(i) + ".0.0/16", "");
    ASSERT_TRUE(blocks->add({network, now, now + 1h, 0, "", "key_1"}));
  }
  const auto full = blocks->add({*parse_subject("9.0.0.0/8", ""), now, now + 1h, 0, "", "key_1"});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, "blocks_full");
}

TEST(ReadBlock, TakesWhatItKnows) {
  const Wall now{std::chrono::hours(500'000)};
  const auto block =
      read_block(R"({"who":"user:ana","tenant":"acme","for":"2h","reason":"spam"})", "key_1", now);
  ASSERT_TRUE(block) << block.error().message;
  EXPECT_EQ(block->until, now + 2h);
  EXPECT_EQ(read_block(R"({"who":"1.2.3.4"})", "key_1", now)->until, now + 1h);
  for (const char* body :
       {"", "[]", "{", R"({"who":1})", R"({"who":"1.2.3.4","for":"-1h"})", R"({"for":"1h"})",
        R"({"who":"1.2.3.4","for":"9999d"})", R"({"who":"1.2.3.4","why":"x"})",
        R"({"who":"0.0.0.0/0"})", R"({"who":"::/0"})", R"({"who":"1.2.3.4","for":"0s"})",
        R"({"who":"1.2.3.4","reason":"a\nb"})"}) {
    EXPECT_FALSE(read_block(body, "key_1", now)) << body;
  }
}

class StageTest : public BlocksTest {
 protected:
  void SetUp() override {
    BlocksTest::SetUp();
    guard.emplace(*blocks, log);
    settings.on = true;
  }
  Verdict ask(std::string_view address, OperationKind kind = OperationKind::Chat) {
    const SlotLayout layout;
    Exchange exchange(layout);
    Operation operation;
    operation.kind = kind;
    exchange.operation = &operation;
    exchange.address = address;
    exchange.started = monotonic;
    exchange.started_wall = now;
    AddressStage stage(*guard);
    auto verdict = stage.on_head(exchange);
    said = exchange.said.empty() ? "" : std::string(exchange.said[0].name) + ": ";
    if (!exchange.said.empty()) said += exchange.said[0].value;
    return verdict;
  }
  int flood(std::string_view address) {
    int went = 0;
    while (went < 1000 && ask(address)) ++went;
    return went;
  }

  SystemClock clock;
  log::Log log{{.sink = [](std::string_view) {}}, clock};
  std::optional<Guard> guard;
  AnomalySettings settings;
  Monotonic monotonic{1h};
  std::string said;
};

TEST_F(StageTest, WhoFloodsIsBlockedAndNobodyElse) {
  EXPECT_EQ(flood("192.0.2.7"), 1000) << "off unless it is asked for";
  guard->configure(settings);
  EXPECT_EQ(flood("192.0.2.7"), 100);
  const auto refused = ask("192.0.2.7");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "blocked");
  EXPECT_EQ(refused.error().kind, ErrorKind::RateLimited);
  EXPECT_EQ(refused.error().retry_after, 60s);
  EXPECT_TRUE(refused.error().message.starts_with("Far more was asked for than is usual"));
  EXPECT_EQ(said, "x-should-retry: false");
  EXPECT_TRUE(ask("192.0.2.8"));
  EXPECT_TRUE(ask("192.0.2.7", OperationKind::Health));
  EXPECT_TRUE(ask("")) << "ask() has no address";
  now += 59'999ms;
  monotonic += 59'999ms;
  EXPECT_EQ(ask("192.0.2.7").error().retry_after, 1s);
  now += 1ms;
  EXPECT_TRUE(ask("192.0.2.7"));
  EXPECT_LT(flood("192.0.2.7"), 101);
  EXPECT_EQ(ask("192.0.2.7").error().retry_after, 300s);
  EXPECT_EQ(guard->spikes(Kind::Address), 2u);
}

TEST_F(StageTest, NeighboursInIpv6AreOne) {
  guard->configure(settings);
  int went = 0;
  for (; went < 1000; ++went) {
    if (!ask("2001:db8:1:2::" + std::to_string(went))) break;
  }
  EXPECT_EQ(went, 100);
  EXPECT_FALSE(ask("2001:db8:1:2:9::1"));
  EXPECT_TRUE(ask("2001:db8:1:3::1"));
}

TEST_F(StageTest, TheExemptAreNotWatchedButMayBeBlockedByAnOperator) {
  settings.exempt = {"192.0.2.0/24"};
  guard->configure(settings);
  EXPECT_EQ(flood("192.0.2.7"), 1000);
  EXPECT_EQ(flood("198.51.100.1"), 100);
  ASSERT_TRUE(blocks->add({*parse_subject("192.0.2.7", ""), now, now + 1h, 0, "", "key_1"}));
  EXPECT_FALSE(ask("192.0.2.7"));
}

TEST_F(StageTest, AnOperatorsBlocksHoldWhileNothingIsWatched) {
  ASSERT_TRUE(blocks->add({*parse_subject("192.0.2.0/24", ""), now, now + 1h, 0, "", "key_1"}));
  const auto refused = ask("192.0.2.7");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("An operator of this gateway has blocked this"));
  EXPECT_EQ(said, "x-should-retry: false");
  EXPECT_TRUE(ask("192.0.3.7"));
}

TEST_F(StageTest, UsersAreKnownByTheirTenant) {
  guard->configure(settings);
  const SlotLayout layout;
  const auto ask_as = [&](const char* tenant, const char* user) {
    Exchange exchange(layout);
    Operation operation;
    operation.kind = OperationKind::Chat;
    Principal principal;
    principal.tenant = tenant;
    principal.user = user;
    principal.key_name = "ci";
    exchange.operation = &operation;
    exchange.principal = &principal;
    exchange.started = monotonic;
    exchange.started_wall = now;
    CallerStage stage(*guard);
    return stage.on_head(exchange);
  };
  int went = 0;
  while (went < 1000 && ask_as("acme", "ana")) ++went;
  EXPECT_EQ(went, 100);
  EXPECT_TRUE(ask_as("globex", "ana"));
  EXPECT_TRUE(ask_as("acme", "ben")) << "the key is not watched unless it is asked for";
  ASSERT_TRUE(blocks->add({*parse_subject("user:ben", ""), now, now + 1h, 0, "", "key_1"}));
  EXPECT_FALSE(ask_as("acme", "ben"));
  EXPECT_FALSE(ask_as("globex", "ben"));
  EXPECT_TRUE(ask_as("globex", "eva"));
  ASSERT_TRUE(blocks->add({*parse_subject("key:ci", ""), now, now + 1h, 0, "", "key_1"}));
  EXPECT_FALSE(ask_as("globex", "eva"));
}

}  // namespace
}  // namespace causeway::anomalies
