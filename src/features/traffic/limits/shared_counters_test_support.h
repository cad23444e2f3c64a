// The fixture of the shared counters' tests: a real redis-server, and a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "features/traffic/limits/shared_counters.h"
#include "platform/net/loop.h"
#include "platform/redis/client.h"
#include "platform/redis/script.h"
#include "platform/redis/testing/redis_server.h"

namespace causeway::limits {

using namespace std::chrono_literals;
using Reals = std::vector<std::optional<std::int64_t>>;
using Outcome = std::optional<Result<SharedVerdict>>;

inline constexpr std::int64_t kLargest = std::int64_t{1} << 53;

inline Task<void> run_reserve(SharedCounters& counters, std::vector<SharedAmount> wanted,
                              Outcome& out) {
  out = co_await counters.reserve(wanted);
}

inline Task<void> run_script(redis::Client& client, std::string source,
                             std::vector<std::string> words,
                             std::optional<Result<redis::Reply>>& out) {
  redis::Script script(std::move(source));
  const std::vector<std::string_view> views(words.begin(), words.end());
  out = co_await script.run(client, {}, views);
}

inline SharedAmount window(std::string key, std::int64_t most, std::int64_t amount = 1) {
  return {std::move(key), SharedKind::Window, most, amount, 60'000};
}
inline constexpr std::int64_t kEnds = 1'800'100'000;  // a day behind `now`
inline SharedAmount month(std::string key, std::int64_t most, std::int64_t amount,
                          std::int64_t spent = 0) {
  SharedAmount one{std::move(key), SharedKind::Period, most, amount};
  one.ends = kEnds;
  one.spent = spent;
  return one;
}
inline SharedAmount running(std::string key, std::int64_t most) {
  return {std::move(key), SharedKind::Concurrent, most, 1};
}

using Words = std::vector<std::string_view>;

inline Task<void> run_command(redis::Client& client, Words words,
                              std::optional<Result<redis::Reply>>& out) {
  out = co_await client.command(words);
}

struct SharedTest : ::testing::Test {
  net::Loop loop{0, 20ms};
  redis::testing::RedisServer server;
  std::int64_t now = 1'800'000'000'000'000;

  void SetUp() override { ASSERT_TRUE(server.running()) << "redis-server is needed"; }
  std::unique_ptr<redis::Client> client(std::chrono::milliseconds timeout = 5s) {
    return redis::make_client(loop, server.settings(timeout), nullptr);
  }
  SharedCounters::Options timed(std::chrono::milliseconds lease = 30s) {
    return {"r1", lease, [this] { return now; }};
  }
  bool until(std::move_only_function<bool()> done) { return loop.run_until(std::move(done), 15s); }
  Result<SharedVerdict> reserve(SharedCounters& counters, std::vector<SharedAmount> wanted) {
    Outcome out;
    spawn(run_reserve(counters, std::move(wanted), out));
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  std::int64_t used(SharedCounters& counters, SharedAmount one) {
    one.most = kLargest;
    one.amount = 0;
    const auto verdict = reserve(counters, {one});
    EXPECT_TRUE(verdict) << verdict.error().detail;
    if (!verdict) return -1;
    settle(counters, *verdict, {0});
    return verdict->standings[0].used;
  }
  void settle(SharedCounters& counters, const SharedVerdict& verdict, Reals real) {
    counters.settle(verdict.reservation, real);
  }
  /// From here on Redis knows the scripts, and things are done in the order in which they are
  /// asked.
  void warm(redis::Client& with, SharedCounters& counters) {
    used(counters, running("warm", 1));
    EXPECT_TRUE(until([&] { return with.stats().outstanding == 0; }));
  }
  redis::Reply raw(redis::Client& with, const std::string& source, std::vector<std::string> words) {
    std::optional<Result<redis::Reply>> out;
    spawn(run_script(with, source, std::move(words), out));
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return **out;
  }
};

}  // namespace causeway::limits
