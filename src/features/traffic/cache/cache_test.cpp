#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/snapshot.h"
#include "dialects/gemini/dialect.h"
#include "dialects/openai/dialect.h"
#include "features/traffic/cache/flights.h"
#include "features/traffic/cache/memory.h"
#include "features/traffic/cache/stage.h"
#include "platform/http/memory_stream.h"

namespace causeway::cache {
namespace {

using std::chrono::seconds;

StoredAnswer answer(const std::string& body) {
  StoredAnswer stored;
  stored.content_type = "application/json";
  stored.padded = body;
  return stored;
}

std::shared_ptr<const Kept> kept(std::string body, std::string tenant, std::string model,
                                 Wall until) {
  auto one = pack(answer(body));
  one->tenant = std::move(tenant);
  one->model = std::move(model);
  one->until = until;
  return one;
}

Key numbered(std::uint32_t number) {
  return crypto::sha256(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

TEST(Pack, GivesTheSameBytesBack) {
  std::string long_one;
  for (int i = 0; i < 2000; ++i) long_one += "the answer number " + std::to_string(i % 7) + ", ";
  for (const std::string& body : {std::string(), std::string("{}"), long_one}) {
    const auto back = unpack(pack(answer(body)));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->body(), body);
    EXPECT_EQ(back->content_type, "application/json");
  }
  EXPECT_LT(pack(answer(long_one))->bytes().size(), long_one.size() / 10);
}

TEST(Pack, DamagedBytesAreNoAnswer) {
  std::string body(10'000, 'a');
  const auto shared = pack(answer(body));
  Kept& kept = *shared;
  ASSERT_TRUE(kept.compressed);
  kept.packed.resize(kept.packed.size() / 2);
  EXPECT_FALSE(unpack(shared));
  kept.compressed = false;
  EXPECT_FALSE(unpack(shared));
}

TEST(Memory, AnAnswerLivesUntilItsTimeIsUp) {
  Memory memory(1 << 20);
  const Wall now{seconds(1000)};
  memory.put(numbered(1), kept("one", "t", "m", now + seconds(10)));
  ASSERT_TRUE(memory.find(numbered(1), now));
  EXPECT_EQ(memory.find(numbered(1), now)->bytes(), "one");
  EXPECT_FALSE(memory.find(numbered(2), now));
  EXPECT_TRUE(memory.find(numbered(1), now + seconds(9)));
  EXPECT_FALSE(memory.find(numbered(1), now + seconds(10)));
  EXPECT_EQ(memory.stats().entries, 0u);
  EXPECT_EQ(memory.stats().bytes, 0u);
  EXPECT_EQ(memory.stats().expired, 1u);
}

TEST(Memory, WhatWasNotUsedLongestGoesFirstAndTheBoundHolds) {
  constexpr std::size_t most = 1 << 20;
  Memory memory(most);
  const Wall now{seconds(1000)}, later = now + seconds(1000);
  const std::string body(3000, 'x');
  memory.put(numbered(0), kept(body, "t", "m", later));
  for (std::uint32_t i = 1; i < 2000; ++i) {
    memory.put(numbered(i), kept(body, "t", "m", later));
    ASSERT_TRUE(memory.find(numbered(0), now)) << "used all the time, gone at " << i;
    ASSERT_LE(memory.stats().bytes, most);
  }
  EXPECT_GT(memory.stats().evicted, 1500u);
  EXPECT_GT(memory.stats().entries, 200u);
  EXPECT_FALSE(memory.find(numbered(1), now));
  memory.set_most(64 * 1024);
  EXPECT_LE(memory.stats().bytes, 64u * 1024);
  memory.put(numbered(1), kept(std::string(100'000, 'y') + "\x01", "t", "m", later));
  EXPECT_LE(memory.stats().bytes, 64u * 1024);
}

TEST(Memory, IsClearedByTenantAndModel) {
  Memory memory(1 << 20);
  const Wall until{seconds(2000)}, now{seconds(1)};
  memory.put(numbered(1), kept("1", "a", "m", until));
  memory.put(numbered(2), kept("2", "a", "n", until));
  memory.put(numbered(3), kept("3", "b", "m", until));
  EXPECT_EQ(memory.clear("a", "m"), 1u);
  EXPECT_TRUE(memory.find(numbered(2), now) && memory.find(numbered(3), now));
  EXPECT_EQ(memory.clear("b", ""), 1u);
  EXPECT_EQ(memory.clear("", ""), 1u);
  EXPECT_EQ(memory.stats().bytes, 0u);
}

TEST(Flights, TheFirstLeadsAndAllOthersHearOnce) {
  Flights flights;
  Flights::Ticket ticket = 0;
  std::vector<bool> heard;
  const Key key = numbered(1);
  ASSERT_EQ(flights.join(key, nullptr, ticket), Flights::Joined::Leads);
  const auto note = [&heard](bool kept) { heard.push_back(kept); };
  ASSERT_EQ(flights.join(key, note, ticket), Flights::Joined::Waits);
  const Flights::Ticket first = ticket;
  ASSERT_EQ(flights.join(key, note, ticket), Flights::Joined::Waits);
  EXPECT_EQ(flights.join(numbered(2), nullptr, ticket), Flights::Joined::Leads);
  flights.leave(key, first);
  flights.land(key, true);
  flights.land(key, false);
  EXPECT_EQ(heard, std::vector<bool>{true});
  EXPECT_EQ(flights.join(key, nullptr, ticket), Flights::Joined::Leads);
}

TEST(Flights, OneLeads) {
  Flights flights;
  Flights::Ticket ticket = 0;
  EXPECT_TRUE(flights.lead(numbered(1)));
  EXPECT_FALSE(flights.lead(numbered(1)));
  EXPECT_EQ(flights.join(numbered(1), [](bool) {}, ticket), Flights::Joined::Waits);
  flights.land(numbered(1), false);
  EXPECT_TRUE(flights.lead(numbered(1)));
}

TEST(Flights, NoMoreThanAThousandsWaitForOne) {
  Flights flights;
  Flights::Ticket ticket = 0;
  (void)flights.join(numbered(1), nullptr, ticket);
  for (std::size_t i = 0; i < Flights::kMostWaiting; ++i) {
    ASSERT_EQ(flights.join(numbered(1), [](bool) {}, ticket), Flights::Joined::Waits);
  }
  EXPECT_EQ(flights.join(numbered(1), [](bool) {}, ticket), Flights::Joined::Full);
}

TEST(Flights, AreSafeFromManyThreads) {
  Flights flights;
  std::atomic<int> leads{0}, heard{0}, waits{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t i = 0; i < 2000; ++i) {
        Flights::Ticket ticket = 0;
        const auto joined = flights.join(numbered(i % 5), [&](bool) { ++heard; }, ticket);
        if (joined == Flights::Joined::Waits) ++waits;
        if (joined == Flights::Joined::Leads) {
          ++leads;
          flights.land(numbered(i % 5), true);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(leads + waits, 8000);
  EXPECT_EQ(heard, waits);
}

TEST(CacheControl, SaysWhatRfc9111Says) {
  EXPECT_TRUE(read_control("no-cache").no_cache);
  EXPECT_TRUE(read_control("max-age=0, No-Store").no_store);
  EXPECT_TRUE(read_control(" only-if-cached").only_if_cached);
  EXPECT_EQ(read_control("max-age=60").max_age, seconds(60));
  EXPECT_EQ(read_control("MAX-AGE=x").max_age, seconds(0));
  EXPECT_EQ(read_control("max-age=").max_age, seconds(0));
  EXPECT_FALSE(read_control("").max_age);
  EXPECT_FALSE(read_control("no-cachex, xno-store,,,").no_cache);
}

/// A request as the stage sees it, and its key.
class Asking {
 public:
  explicit Asking(const Dialect& dialect, std::string path = "/v1/chat/completions")
      : dialect_(dialect), path_(std::move(path)) {
    dialect.operations(operations_);
    principal_.tenant = "t";
    principal_.key_id = "k";
    target_ = make_target("a/up", nullptr, "up");
  }
  Principal& principal() { return principal_; }

  Key key(std::string body, CacheSettings settings = {}, std::string field = {}) {
    http::MemoryStream::Request request;
    if (!field.empty()) request.fields = {{"anthropic-beta", field}};
    http::MemoryStream stream(std::move(request));
    SlotLayout layout;
    Exchange exchange(layout);
    body.append(64, '\0');
    const std::string_view text(body.data(), body.size() - 64);
    const auto match = operations_.find(http::Method::Post, path_);
    EXPECT_TRUE(dialect_.read(*match.operation, match.argument, text, exchange.index));
    exchange.request = Request(exchange.index);
    exchange.operation = match.operation;
    exchange.principal = &principal_;
    exchange.model_name = exchange.index.model;
    exchange.stream = &stream;
    Attempt attempt;
    attempt.target = &target_;
    attempt.request = exchange.request.fork();
    if (edit_) edit_(attempt.request);
    temperature = temperature_of(exchange.index);
    return key_of(exchange, attempt, settings);
  }
  void edit(std::function<void(Request&)> edit) { edit_ = std::move(edit); }
  std::optional<double> temperature;

 private:
  const Dialect& dialect_;
  std::string path_;
  Operations operations_;
  Principal principal_;
  Target target_;
  std::function<void(Request&)> edit_;
};

constexpr const char* kHi =
    R"({"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5})";

TEST(CacheKey, IsTheSameForWhatHasTheSameAnswer) {
  const openai::OpenAiDialect dialect;
  Asking asking(dialect);
  const Key key = asking.key(kHi);
  EXPECT_EQ(asking.temperature, 0.5);
  EXPECT_EQ(key, asking.key(kHi));
  EXPECT_EQ(key, asking.key(R"({"temperature":0.5,"messages":[{"role":"user","content":"hi"}],)"
                            R"("model":"m"})"))
      << "in another order";
  EXPECT_EQ(key,
            asking.key(R"({"model":"m","messages":[{"role":"user","content":"hi"}],)"
                       R"("temperature":0.5,"user":"u-1","metadata":{"a":"b"},"store":false})"))
      << "who asks does not bear on the answer";
}

TEST(CacheKey, DiffersWhereAnythingBearsOnTheAnswer) {
  const openai::OpenAiDialect dialect;
  Asking asking(dialect);
  std::vector<Key> keys{asking.key(kHi)};
  const auto expect_new = [&](const Key& key, const char* what) {
    for (const Key& one : keys) EXPECT_NE(one, key) << what;
    keys.push_back(key);
  };
  const auto with = [](std::string more) {
    return R"({"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5)" + more +
           "}";
  };
  expect_new(asking.key(R"({"model":"m","messages":[{"role":"user","content":"ho"}],)"
                        R"("temperature":0.5})"),
             "text");
  expect_new(asking.key(R"({"model":"n","messages":[{"role":"user","content":"hi"}],)"
                        R"("temperature":0.5})"),
             "model");
  expect_new(asking.key(R"({"model":"m","messages":[{"role":"user","content":"hi"}],)"
                        R"("temperature":0.6})"),
             "temperature");
  expect_new(asking.key(with(R"(,"max_tokens":5)")), "max_tokens");
  expect_new(asking.key(with(R"(,"n":2)")), "choices");
  expect_new(asking.key(with(R"(,"seed":7)")), "seed");
  expect_new(asking.key(with(R"(,"response_format":{"type":"json_object"})")), "format");
  expect_new(asking.key(with(R"(,"unheard_of":true)")), "what nobody knows yet");
  expect_new(asking.key(with(R"(,"stream":true)")), "how it is delivered");
  asking.principal().tenant = "other";
  expect_new(asking.key(kHi), "tenant");
}

TEST(CacheKey, ScopeDecidesWhoShares) {
  const openai::OpenAiDialect dialect;
  Asking asking(dialect);
  const auto key = [&](Scope scope, std::string user, std::string key_id) {
    asking.principal().user = std::move(user);
    asking.principal().key_id = std::move(key_id);
    return asking.key(kHi, {.scope = scope});
  };
  EXPECT_EQ(key(Scope::Tenant, "ann", "k1"), key(Scope::Tenant, "bob", "k2"));
  EXPECT_NE(key(Scope::User, "ann", "k1"), key(Scope::User, "bob", "k1"));
  EXPECT_EQ(key(Scope::User, "ann", "k1"), key(Scope::User, "ann", "k2"));
  EXPECT_NE(key(Scope::User, "", "k1"), key(Scope::User, "", "k2")) << "nobody is named";
  EXPECT_NE(key(Scope::Key, "ann", "k1"), key(Scope::Key, "ann", "k2"));
  asking.principal().user.clear();
  const auto named = [&](const char* user) {
    return asking.key(R"({"model":"m","messages":[{"role":"user","content":"hi"}],"user":")" +
                          std::string(user) + "\"}",
                      {.scope = Scope::User});
  };
  EXPECT_NE(named("ann"), named("bob")) << "as the application says";
}

TEST(CacheKey, IsOfWhatTheTargetGets) {
  const openai::OpenAiDialect dialect;
  Asking asking(dialect);
  const auto ask = [&](const char* name) {
    return asking.key(R"({"model":"m","messages":[{"role":"user","content":"I am )" +
                      std::string(name) + R"("}],"stream":false,"user":"x"})");
  };
  EXPECT_NE(ask("Ann"), ask("Bob"));
  asking.edit([](Request& request) { request.text(0).set("I am [NAME]"); });
  EXPECT_EQ(ask("Ann"), ask("Bob")) << "masked they are the same";
}

TEST(CacheKey, OfGeminiHasWhatItsPathSays) {
  const gemini::GeminiDialect dialect;
  Asking one(dialect, "/v1beta/models/m:generateContent"),
      two(dialect, "/v1beta/models/n:generateContent");
  constexpr const char* body =
      R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"temperature":1.5}})";
  EXPECT_NE(one.key(body), two.key(body));
  EXPECT_EQ(one.temperature, 1.5);
}

}  // namespace
}  // namespace causeway::cache
