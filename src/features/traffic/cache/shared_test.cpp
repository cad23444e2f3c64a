#include "features/traffic/cache/shared.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "features/traffic/cache/clears.h"
#include "features/traffic/cache/shared_seal.h"
#include "platform/crypto/hash.h"
#include "platform/net/loop.h"
#include "platform/redis/client.h"
#include "platform/redis/testing/redis_server.h"

namespace causeway::cache {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

const Secret kSecret("a secret of all replicas, 0123456789"),
    kOther("another one, 0123456789 abcdefghij");
const Wall kNow{std::chrono::seconds(1'800'000'000)};

Key numbered(std::uint32_t number) {
  return crypto::sha256(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

std::shared_ptr<Kept> kept(const std::string& body, std::string tenant = "acme",
                           std::string model = "chat") {
  StoredAnswer stored;
  stored.content_type = "text/event-stream";
  stored.streamed = true;
  stored.padded = body;
  auto one = pack(std::move(stored));
  one->tenant = std::move(tenant);
  one->model = std::move(model);
  one->made = kNow - 10s;
  one->until = kNow + 50s;
  return one;
}

TEST(SharedSeal, GivesBackWhatWasSealed) {
  const SharedSeal seal(kSecret);
  for (const std::string& body : {std::string("{}"), std::string(100'000, 'a')}) {
    const auto sealed = seal.seal(numbered(1), *kept(body), {7, 3});
    ASSERT_FALSE(sealed.empty());
    const auto opened = SharedSeal(seal).open("acme", "chat", numbered(1), sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->heard, (Mark{7, 3}));
    EXPECT_EQ(opened->kept->made, kNow - 10s);
    EXPECT_EQ(opened->kept->until, kNow + 50s);
    EXPECT_EQ(opened->kept->tenant, "acme");
    EXPECT_EQ(opened->kept->model, "chat");
    const auto answer = unpack(opened->kept);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body(), body);
    EXPECT_TRUE(answer->streamed);
    EXPECT_EQ(answer->content_type, "text/event-stream");
  }
}

TEST(SharedSeal, OpensNowhereElse) {
  const SharedSeal seal(kSecret);
  const auto sealed = seal.seal(numbered(1), *kept("the answer"), {});
  ASSERT_TRUE(seal.open("acme", "chat", numbered(1), sealed));
  EXPECT_FALSE(SharedSeal(kOther).open("acme", "chat", numbered(1), sealed)) << "another secret";
  EXPECT_FALSE(seal.open("globex", "chat", numbered(1), sealed)) << "another tenant";
  EXPECT_FALSE(seal.open("acme", "chat", numbered(2), sealed)) << "another request";
  EXPECT_FALSE(seal.open("acme", "chat", numbered(1), seal.seal_clear("acme", "chat")));
}

TEST(SharedSeal, OpensNothingThatWasChanged) {
  const SharedSeal seal(kSecret);
  const auto sealed = seal.seal(numbered(1), *kept("the answer"), {});
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(seal.open("acme", "chat", numbered(1), sealed.substr(0, size))) << size;
  }
  EXPECT_FALSE(seal.open("acme", "chat", numbered(1), sealed + '\0'));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(seal.open("acme", "chat", numbered(1), changed)) << "bit " << bit;
  }
  std::string next = sealed;
  ++next[0];
  EXPECT_FALSE(seal.open("acme", "chat", numbered(1), next)) << "another version";
}

TEST(SharedSeal, IsBounded) {
  const SharedSeal seal(kSecret);
  const auto size_of = [&](std::size_t bytes) {
    return seal.seal(numbered(1), *kept(crypto::random_bytes(bytes)), {}).size();
  };
  EXPECT_EQ(size_of(SharedSeal::kMostBytes), 0u);
  EXPECT_EQ(size_of(SharedSeal::kMostBytes - 1000), 0u);
  const std::size_t largest = size_of(SharedSeal::kMostBytes - 2000);
  EXPECT_GT(largest, 0u);
  EXPECT_LE(largest, SharedSeal::kMostBytes);
  EXPECT_GT(seal.seal(numbered(1), *kept(std::string(1'000'000, 'a')), {}).size(), 0u)
      << "what counts is its size as it lies there";
}

TEST(SharedSeal, ItsNamesTellNothingButWhatIsTheSame) {
  const SharedSeal seal(kSecret), other(kOther);
  const std::string name = seal.name("acme", "chat", numbered(1));
  EXPECT_EQ(name, SharedSeal(kSecret).name("acme", "chat", numbered(1)));
  EXPECT_NE(name, other.name("acme", "chat", numbered(1)));
  EXPECT_EQ(name.find("acme"), std::string::npos);
  EXPECT_EQ(name.size(), std::string("causeway:cache:").size() + 16 + 1 + 16 + 1 + 32);
  const auto begins = [&](std::string pattern, const std::string& one) {
    EXPECT_TRUE(pattern.ends_with(":*"));
    pattern.pop_back();
    return one.starts_with(pattern);
  };
  EXPECT_TRUE(begins(seal.pattern("acme", "chat"), name));
  EXPECT_FALSE(begins(seal.pattern("globex", "chat"), name));
  EXPECT_FALSE(begins(seal.pattern("acme", "mail"), name));
  EXPECT_NE(seal.name("x", "y", numbered(1)), seal.name("y", "x", numbered(1)));
  EXPECT_EQ(seal.pattern("", ""), "causeway:cache:*:*:*");
}

TEST(SharedSeal, ClearsAreSealedToo) {
  const SharedSeal seal(kSecret);
  const auto sealed = seal.seal_clear("acme", "chat");
  EXPECT_EQ(sealed.find("acme"), std::string::npos);
  EXPECT_EQ(seal.open_clear(sealed), std::pair(std::string("acme"), std::string("chat")));
  EXPECT_EQ(seal.open_clear(seal.seal_clear("", "m")), std::pair(std::string(), std::string("m")));
  EXPECT_FALSE(SharedSeal(kOther).open_clear(sealed));
  EXPECT_FALSE(seal.open_clear(seal.seal(numbered(1), *kept("x"), {})));
  EXPECT_FALSE(seal.open_clear(""));
}

TEST(Mark, IsReadAsRedisWritesIt) {
  EXPECT_EQ(read_mark("1700000000000-12"), (Mark{1'700'000'000'000, 12}));
  EXPECT_EQ((Mark{5, 0}.text()), "5-0");
  for (const char* wrong : {"", "5", "5-", "-5", "5-1x", "x-1", "99999999999999999999-0"}) {
    EXPECT_FALSE(read_mark(wrong)) << wrong;
  }
  EXPECT_LT((Mark{5, 9}), (Mark{6, 0}));
}

TEST(Clears, WhatIsOlderIsNotGiven) {
  Clears clears;
  const auto given = [&](Mark after, const char* tenant, const char* model) {
    bool acted = false;
    EXPECT_EQ(clears.unless_cleared(after, tenant, model, [&] { acted = true; }), acted);
    return acted;
  };
  EXPECT_TRUE(given({}, "a", "m"));
  EXPECT_TRUE(clears.hear({{10, 0}, "a", "m"}));
  EXPECT_FALSE(given({9, 9}, "a", "m"));
  EXPECT_TRUE(given({10, 0}, "a", "m"));
  EXPECT_TRUE(given({9, 0}, "a", "n") && given({9, 0}, "b", "m"));
  EXPECT_TRUE(clears.hear({{20, 0}, "b", ""}));
  EXPECT_FALSE(given({15, 0}, "b", "x"));
  EXPECT_TRUE(given({15, 0}, "a", "m"));
  EXPECT_FALSE(given({5, 0}, "a", "m")) << "of an earlier one";
  EXPECT_FALSE(clears.hear({{20, 0}, "", ""})) << "heard before";
  EXPECT_TRUE(given({15, 0}, "a", "m"));
  clears.pass_by({30, 0});
  EXPECT_EQ(clears.heard(), (Mark{30, 0}));
  clears.pass_by({3, 0});
  EXPECT_EQ(clears.heard(), (Mark{30, 0}));
}

TEST(Clears, OfMoreThanItKnowsItIsNotSure) {
  Clears clears;
  for (std::uint64_t i = 1; i <= 2 * Clears::kMost; ++i) clears.hear({{i, 0}, "a", "m"});
  EXPECT_FALSE(clears.unless_cleared({5, 0}, "other", "m", [] {}));
  EXPECT_TRUE(clears.unless_cleared({2 * Clears::kMost - 500, 0}, "other", "m", [] {}));
}

/// One replica: memory, a client, what it was told to forget.
struct Replica {
  Replica(net::Loop& loop, const redis::Settings& settings, const Secret& secret = kSecret)
      : client(redis::make_client(loop, settings, nullptr)),
        shared(
            secret, memory, clock,
            [this](const std::string& tenant, const std::string& model, Wall by) {
              forgotten.push_back(tenant + "/" + model);
              (void)memory.clear(tenant, model, by);
              return !busy;
            },
            20ms) {
    clock.set_wall(kNow);
    shared.attach(0, loop, *client);
  }
  Memory memory{1 << 20};
  ManualClock clock;
  std::vector<std::string> forgotten;
  bool busy = false;
  std::unique_ptr<redis::Client> client;
  Shared shared;
};

struct Found {
  bool ended = false;
  std::shared_ptr<const Kept> kept;
};

Task<void> run_find(Shared& shared, Key key, std::string tenant, std::string model, Found& out) {
  auto looking = shared.find(0, key, std::move(tenant), std::move(model));
  out.kept = co_await std::move(looking);
  out.ended = true;
}

Task<void> run_command(redis::Client& client, Words words, std::optional<redis::Reply>& out) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  auto reply = co_await client.command(views);
  out = reply ? std::move(*reply) : redis::Reply();
}

struct SharedTest : ::testing::Test {
  net::Loop loop{0, 20ms};
  redis::testing::RedisServer server;
  std::unique_ptr<Replica> a, b;

  void SetUp() override {
    ASSERT_TRUE(server.running()) << "redis-server is needed";
    a = std::make_unique<Replica>(loop, server.settings(5s));
    b = std::make_unique<Replica>(loop, server.settings(5s));
    ASSERT_TRUE(hears(*a) && hears(*b));
  }
  bool until(std::move_only_function<bool()> done) { return loop.run_until(std::move(done), 15s); }
  void wait(std::chrono::milliseconds time) {
    loop.run_until([] { return false; }, time);
  }
  Found find(Replica& replica, std::uint32_t number, const char* tenant = "acme",
             const char* model = "chat") {
    Found out;
    spawn(run_find(replica.shared, numbered(number), tenant, model, out));
    EXPECT_TRUE(until([&] { return out.ended; }));
    return out;
  }
  bool hears(Replica& replica) {
    return until([&] { return replica.shared.stats().answers; });
  }
  void put(Replica& replica, std::uint32_t number, const std::string& body,
           const char* tenant = "acme", const char* model = "chat") {
    const auto before = replica.shared.stats().puts;
    replica.shared.put(0, numbered(number), *kept(body, tenant, model));
    EXPECT_TRUE(until([&] { return replica.shared.stats().puts > before; }));
  }
  redis::Reply command(Words words) {
    std::optional<redis::Reply> out;
    spawn(run_command(*a->client, std::move(words), out));
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  Result<Shared::Cleared> clear(Replica& replica, std::string tenant, std::string model) {
    std::optional<Result<Shared::Cleared>> out;
    replica.shared.clear(std::move(tenant), std::move(model),
                         [&](Result<Shared::Cleared> result) { out = std::move(result); });
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  std::string name(std::uint32_t number) {
    return SharedSeal(kSecret).name("acme", "chat", numbered(number));
  }
};

TEST_F(SharedTest, WhatOnePutsTheOtherFinds) {
  put(*a, 1, "the answer");
  const auto found = find(*b, 1);
  ASSERT_TRUE(found.kept);
  EXPECT_EQ(unpack(found.kept)->body(), "the answer");
  EXPECT_EQ(found.kept->made, kNow - 10s);
  EXPECT_EQ(b->memory.find(numbered(1), kNow), found.kept) << "for the next one";
  EXPECT_FALSE(find(*b, 2).kept);
  EXPECT_FALSE(find(*b, 1, "globex").kept);
  const auto ms = command({"PTTL", name(1)}).integer;
  EXPECT_TRUE(50'000 < ms && ms <= 60'000) << ms;
  EXPECT_EQ(b->shared.stats().hits, 1u);
}

TEST_F(SharedTest, WhatIsOverIsNotGivenWhateverRedisSays) {
  put(*a, 1, "the answer");
  b->clock.advance(50s);
  EXPECT_FALSE(find(*b, 1).kept);
  EXPECT_EQ(b->memory.stats().entries, 0u);
}

TEST_F(SharedTest, AnotherSecretFindsNothingAndIsNoError) {
  Replica stranger(loop, server.settings(5s), kOther);
  ASSERT_TRUE(hears(stranger));
  put(*a, 1, "the answer");
  EXPECT_FALSE(find(stranger, 1).kept);
  EXPECT_EQ(stranger.shared.stats().errors, 0u);
  ASSERT_TRUE(clear(*a, "acme", ""));
  EXPECT_TRUE(until([&] { return !b->forgotten.empty(); }));
  wait(100ms);
  EXPECT_TRUE(stranger.forgotten.empty());
  EXPECT_EQ(b->forgotten, std::vector<std::string>{"acme/"});
}

TEST_F(SharedTest, WhatLiesThereAndIsNoneOfOursIsAMiss) {
  put(*a, 1, "the answer");
  put(*a, 2, "another answer");
  std::string sealed = command({"GET", name(1)}).text;
  command({"SET", name(2), sealed});
  EXPECT_FALSE(find(*b, 2).kept) << "moved";
  sealed[sealed.size() / 2] ^= 1;
  command({"SET", name(1), sealed});
  EXPECT_FALSE(find(*b, 1).kept) << "changed";
  command({"DEL", name(1)});
  command({"LPUSH", name(1), "x"});
  EXPECT_FALSE(find(*b, 1).kept) << "of another type";
  EXPECT_EQ(b->shared.stats().unreadable, 3u);
  EXPECT_EQ(b->memory.stats().entries, 0u);
}

TEST_F(SharedTest, AClearIsHeardByTheOther) {
  put(*a, 1, "1");
  put(*a, 2, "2", "acme", "mail");
  put(*a, 3, "3", "globex");
  ASSERT_TRUE(find(*b, 1).kept);
  ASSERT_TRUE(find(*b, 2, "acme", "mail").kept);
  ASSERT_TRUE(find(*b, 3, "globex").kept);
  const auto cleared = clear(*a, "acme", "chat");
  ASSERT_TRUE(cleared);
  EXPECT_EQ(cleared->removed, 1u);
  EXPECT_TRUE(cleared->all);
  EXPECT_TRUE(until([&] { return !b->forgotten.empty(); }));
  EXPECT_EQ(b->forgotten, std::vector<std::string>{"acme/chat"});
  EXPECT_FALSE(b->memory.find(numbered(1), kNow));
  EXPECT_TRUE(b->memory.find(numbered(2), kNow) && b->memory.find(numbered(3), kNow));
  EXPECT_EQ(clear(*a, "", "chat")->removed, 1u);
  EXPECT_EQ(clear(*a, "", "")->removed, 1u);
}

TEST_F(SharedTest, WhatWasMadeBeforeAClearIsNotGivenBehindIt) {
  // As by a replica that had not heard yet, behind the look for what is to be taken out.
  put(*a, 1, "old");
  const std::string old = command({"GET", name(1)}).text;
  ASSERT_TRUE(clear(*a, "acme", ""));
  ASSERT_TRUE(until([&] { return !b->forgotten.empty(); }));
  command({"SET", name(1), old});
  EXPECT_FALSE(find(*a, 1).kept);
  EXPECT_FALSE(find(*b, 1).kept);
  EXPECT_EQ(b->memory.stats().entries, 0u);
  EXPECT_EQ(b->shared.stats().cleared, 1u);
  Replica late(loop, server.settings(5s));
  ASSERT_TRUE(hears(late));
  EXPECT_FALSE(find(late, 1).kept) << "nor by one that came later";
  put(*b, 1, "new");
  EXPECT_TRUE(find(*a, 1).kept && find(late, 1).kept);
}

TEST_F(SharedTest, OneThatIsBusyForgetsLater) {
  b->busy = true;
  ASSERT_TRUE(clear(*a, "acme", ""));
  ASSERT_TRUE(until([&] { return b->forgotten.size() >= 2; })) << "tried again";
  b->busy = false;
  const auto before = b->forgotten.size();
  ASSERT_TRUE(until([&] { return b->forgotten.size() > before; }));
  const auto times = b->forgotten.size();
  wait(100ms);
  EXPECT_EQ(b->forgotten.size(), times);
}

TEST_F(SharedTest, RedisThatIsGoneIsAMissAtOnceAndIsSaid) {
  put(*a, 1, "the answer");
  server.kill();
  ASSERT_TRUE(until([&] { return !a->client->answers(); }));
  const auto began = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_FALSE(find(*a, 1).kept);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_FALSE(clear(*a, "", ""));
  EXPECT_FALSE(a->shared.stats().answers);
  a->shared.put(0, numbered(2), *kept("x"));
  EXPECT_EQ(a->shared.stats().dropped, 1u);
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(until([&] { return a->client->answers(); }));
  put(*a, 1, "again");
  EXPECT_TRUE(find(*a, 1).kept);
}

TEST_F(SharedTest, WhoDoesNotHearOfClearsGivesNothing) {
  Replica deaf(loop, server.settings(5s));
  put(*a, 1, "the answer");
  ASSERT_TRUE(until([&] { return deaf.client->answers(); }));
  EXPECT_FALSE(find(deaf, 1).kept) << "it has not read the stream yet";
  EXPECT_TRUE(until([&] { return find(deaf, 1).kept != nullptr; }));
}

TEST_F(SharedTest, AFloodDoesNotPileUp) {
  server.pause();
  for (std::uint32_t i = 0; i < 2000; ++i) a->shared.put(0, numbered(i), *kept("flood"));
  EXPECT_LE(a->client->stats().outstanding, Shared::kMostPuts + 4);
  EXPECT_GE(a->shared.stats().dropped, 2000 - Shared::kMostPuts);
  const auto dropped = a->shared.stats().dropped;
  for (std::uint32_t i = 0; i < 100; ++i) {
    b->shared.put(0, numbered(i), *kept(crypto::random_bytes(200'000)));
  }
  EXPECT_LE(b->client->stats().outstanding, 10u) << "nor by their size";
  server.go_on();
  EXPECT_TRUE(until([&] { return a->shared.stats().puts + dropped == 2000; }));
}

TEST_F(SharedTest, TheLastFifthOfRedisIsForLimits) {
  command({"CONFIG", "SET", "maxmemory", "1000000000"});
  put(*a, 1, "the answer");
  EXPECT_FALSE(a->shared.stats().full);
  command({"CONFIG", "SET", "maxmemory", "100"});
  ASSERT_TRUE(until([&] { return a->shared.stats().full; }));
  a->shared.put(0, numbered(2), *kept("x"));
  EXPECT_GE(a->shared.stats().dropped, 1u);
  command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(until([&] { return !a->shared.stats().full; }));
}

}  // namespace
}  // namespace causeway::cache
