#include "features/insight/ledger/feature.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "core/provider.h"
#include "platform/metrics/registry.h"
#include "platform/store/test_folder.h"

namespace causeway::ledger {
namespace {

using namespace std::chrono_literals;

class NamedProvider final : public Provider {
 public:
  explicit NamedProvider(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "openai"; }
  Zone zone() const override { return Zone::External; }
  const Dialect& dialect(const Operation&, const Target&) const override { std::abort(); }
  Result<Call> address(const Exchange&, Attempt&) const override {
    return fail(ErrorKind::Internal, Origin::Us, "not called");
  }

 private:
  std::string name_;
};

// The admin port's loop in miniature.
struct Inbox {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> posted;
  void post(std::move_only_function<void()> action) {
    std::lock_guard lock(mutex);
    posted.push_back(std::move(action));
    wake.notify_one();
  }
  void run_one() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return !posted.empty(); });
    auto action = std::move(posted.front());
    posted.pop_front();
    lock.unlock();
    action();
  }
};

Task<void> keep(Task<AdminReply> task, std::optional<AdminReply>& out) {
  out = co_await std::move(task);
}

class World final : public AdminClient {
 public:
  World()
      : folder_(test_.folder()),
        store_(store::Store::open(folder_).value()),
        ledger_(
            Ledger::open(*store_, folder_,
                         {.loops = 1, .ring_records = 64, .fold_every = 20ms, .trouble = nullptr})
                .value()),
        workers_("worker", 1, 16),
        feature_({*ledger_,
                  layout_,
                  SectionKey<LedgerSettings>(0),
                  1,
                  workers_,
                  [this](auto f) { inbox_.post(std::move(f)); },
                  {[](std::string_view id) { return "name-of-" + std::string(id); },
                   [](std::string_view name) { return name == "shop" ? std::string("k1") : ""; }},
                  clock_}) {
    clock_.set_wall(Wall(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)));
    principal_.key_id = "k1";
    principal_.tenant = "acme";
    context_.clock = &clock_;
    policy_.sections.set(0, std::make_shared<LedgerSettings>());
    model_.name = "smart";
  }

  void set_prices(PriceSettings prices) {
    snapshot_.prices = std::make_shared<const PriceBook>(prices);
    feature_.set_prices(std::move(prices));
  }

  LedgerStage& stage() { return *static_cast<LedgerStage*>(feature_.stages()[0]); }

  struct Answered {
    std::optional<std::int64_t> cost_micros;
    bool refused = false;
  };
  /// One exchange whose target took `time` and reported so many tokens.
  Answered serve(const Provider& provider, std::string upstream, std::uint32_t input,
                 std::uint32_t output, Monotonic::duration time = 0s) {
    const Target target =
        make_target(std::string(provider.name()) + "/" + upstream, &provider, upstream);
    Exchange exchange(layout_);
    exchange.context = &context_;
    exchange.snapshot = &snapshot_;
    exchange.principal = &principal_;
    exchange.model = &model_;
    exchange.model_name = model_.name;
    exchange.policy = &policy_;
    exchange.started_wall = clock_.wall();
    if (!stage().on_request(exchange)) return {std::nullopt, true};
    auto& attempt = exchange.attempts.emplace_back();
    attempt.target = &target;
    EXPECT_TRUE(stage().on_attempt(exchange, attempt));
    clock_.advance(time);
    Outcome outcome;
    outcome.status = 200;
    outcome.usage.source = UsageSource::Reported;
    outcome.usage.input_uncached = input;
    outcome.usage.output_visible = output;
    stage().on_usage(exchange, outcome.usage);
    stage().on_settle(exchange, outcome);
    return {exchange.cost_micros, false};
  }

  /// One whose first attempt was thrown away when it had used so many tokens; the second answers,
  /// or (nothing) fails as well without having used any.
  std::optional<std::int64_t> serve_after_lost(const Provider& first, std::uint32_t lost,
                                               const Provider& second,
                                               std::optional<std::uint32_t> output) {
    const auto target_of = [](const Provider& of) {
      return make_target(std::string(of.name()) + "/m", &of, "m");
    };
    const Target targets[] = {target_of(first), target_of(second)};
    Exchange exchange(layout_);
    exchange.context = &context_;
    exchange.snapshot = &snapshot_;
    exchange.principal = &principal_;
    exchange.model = &model_;
    exchange.model_name = model_.name;
    exchange.policy = &policy_;
    exchange.started_wall = clock_.wall();
    Outcome outcome;
    outcome.status = output ? 200 : 502;
    exchange.attempts.reserve(2);
    const Error failed = fail(ErrorKind::UpstreamBroken, Origin::Upstream, "cut").error();
    if (!output) outcome.error = failed;
    for (const Target& target : targets) {
      auto& attempt = exchange.attempts.emplace_back();
      attempt.target = &target;
      EXPECT_TRUE(stage().on_attempt(exchange, attempt));
      const bool is_first = exchange.attempts.size() == 1;
      if (is_first) {
        attempt.usage.source = UsageSource::Estimated;
        attempt.usage.output_visible = lost;
      }
      if (is_first || !output) {
        attempt.error = failed;
        stage().on_attempt_end(exchange, attempt);
        continue;
      }
      outcome.usage.source = UsageSource::Reported;
      outcome.usage.output_visible = *output;
      stage().on_usage(exchange, outcome.usage);
      EXPECT_EQ(exchange.cost_micros, static_cast<std::int64_t>(lost + *output));
    }
    stage().on_settle(exchange, outcome);
    return exchange.cost_micros;
  }

  Result<AdminReply> call(http::Method, const std::string& path, const std::string&) override {
    AdminRequest request;
    request.path = "/api/usage";
    std::string_view rest = path;
    rest.remove_prefix(std::min(rest.find('?'), rest.size()));
    while (rest.size() > 1) {
      rest.remove_prefix(1);
      const auto pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(pair.size());
      const auto equals = pair.find('=');
      request.query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    std::optional<AdminReply> reply;
    spawn(keep(feature_.routes()[0].handle(std::move(request)), reply));
    while (!reply) inbox_.run_one();
    return std::move(*reply);
  }
  boost::json::value get(const std::string& path, int status = 200) {
    const auto reply = call(http::Method::Get, path, "").value();
    EXPECT_EQ(reply.status, status) << reply.body;
    return boost::json::parse(reply.body);
  }

  ManualClock clock_;
  Snapshot snapshot_;
  EffectivePolicy policy_;
  store::TestFolder test_;
  store::DataFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Ledger> ledger_;
  Inbox inbox_;
  SlotLayout layout_;
  WorkerGroup workers_;
  LedgerFeature feature_;
  Principal principal_;
  LoopContext context_;
  Model model_;
};

TEST(LedgerFeature, PricesFromConfigAndCatalogueReachTheUsage) {
  World world;
  PriceSettings prices;
  prices.models["gpu/llama"] = {1'000'000, 2'000'000, std::nullopt, std::nullopt};
  prices.catalogue["openai"] = "openai";
  world.set_prices(prices);
  const NamedProvider openai("openai");
  const NamedProvider gpu("gpu");
  const NamedProvider mine("mine");
  EXPECT_EQ(world.serve(openai, "gpt-4.1", 1000, 100).cost_micros, 2800);
  EXPECT_EQ(world.serve(gpu, "llama", 10, 5).cost_micros, 20);
  EXPECT_EQ(world.serve(mine, "gpt-4.1", 10, 5).cost_micros, std::nullopt);
  auto reply = world.get("/api/usage?by=provider,key");
  const auto& rows = reply.at("usage").as_array();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].at("provider").as_string(), "gpu");
  EXPECT_EQ(rows[0].at("key").as_string(), "name-of-k1");
  EXPECT_EQ(rows[0].at("key_id").as_string(), "k1");
  EXPECT_EQ(rows[0].at("cost_micros").as_int64(), 20);
  EXPECT_FALSE(rows[1].as_object().contains("cost"));
  EXPECT_EQ(rows[1].at("unpriced_requests").as_int64(), 1);
  EXPECT_EQ(rows[2].at("cost").to_number<double>(), 0.0028);
  EXPECT_EQ(rows[2].at("input_tokens").as_int64(), 1000);
  reply = world.get("/api/usage?key=shop&from=2026-11-24&to=2026-11-24");
  ASSERT_EQ(reply.at("usage").as_array().size(), 1u);
  EXPECT_EQ(reply.at("usage").at(0).at("day").as_string(), "2026-11-24");
  EXPECT_EQ(reply.at("usage").at(0).at("model").as_string(), "smart");
  EXPECT_EQ(reply.at("usage").at(0).at("requests").as_int64(), 3);
  EXPECT_TRUE(world.get("/api/usage?from=2026-11-25").at("usage").as_array().empty());
  world.get("/api/usage?by=nonsense", 400);
  world.get("/api/usage?from=yesterday", 400);
  world.get("/api/usage?form=2026-11-25", 400);
  // A new configuration counts for requests that begin with it.
  world.set_prices({});
  EXPECT_EQ(world.serve(openai, "gpt-4.1", 1000, 100).cost_micros, std::nullopt);
  prices.currency = "EUR";
  world.set_prices(prices);
  EXPECT_EQ(world.serve(openai, "gpt-4.1", 1000, 100).cost_micros, std::nullopt);
  EXPECT_EQ(world.serve(gpu, "llama", 10, 5).cost_micros, 20);
}

TEST(LedgerFeature, WhatAttemptsUsedWhoseAnswerNobodyGot) {
  World world;
  PriceSettings prices;
  prices.models["first/m"] =
      prices.models["second/m"] = {1'000'000, 1'000'000, std::nullopt, std::nullopt};
  world.set_prices(prices);
  const NamedProvider first("first"), second("second");
  EXPECT_EQ(world.serve_after_lost(first, 7, second, 5), 12) << "all that it has cost";
  EXPECT_EQ(world.serve_after_lost(first, 9, second, std::nullopt), 9);
  const auto reply = world.get("/api/usage?by=provider");
  const auto& rows = reply.at("usage").as_array();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("provider").as_string(), "first");
  EXPECT_EQ(rows[0].at("requests").as_int64(), 0);
  EXPECT_EQ(rows[0].at("lost_attempts").as_int64(), 2);
  EXPECT_EQ(rows[0].at("lost_tokens").as_int64(), 16);
  EXPECT_EQ(rows[0].at("output_tokens").as_int64(), 16);
  EXPECT_EQ(rows[0].at("estimated_requests").as_int64(), 0);
  EXPECT_EQ(rows[0].at("cost_micros").as_int64(), 16);
  EXPECT_EQ(rows[1].at("requests").as_int64(), 2);
  EXPECT_EQ(rows[1].at("failed_requests").as_int64(), 1);
  EXPECT_EQ(rows[1].at("lost_attempts").as_int64(), 0);
  EXPECT_EQ(rows[1].at("cost_micros").as_int64(), 5);
}

TEST(LedgerFeature, APriceByTheHourIsSharedAndIdleTimeShown) {
  World world;
  PriceSettings prices;
  prices.per_hour["gpu"] = 3'600'000'000;  // 3.60 an hour: a tenth of a cent a second
  world.set_prices(prices);
  const NamedProvider gpu("gpu");
  world.clock_.advance(10s);
  EXPECT_EQ(world.serve(gpu, "llama", 10, 5, 2s).cost_micros, 2000);
  world.clock_.advance(5s);
  const auto reply = world.get("/api/usage");
  ASSERT_EQ(reply.at("hosted").as_array().size(), 1u);
  const auto& row = reply.at("hosted").at(0);
  EXPECT_EQ(row.at("busy_seconds").to_number<double>(), 2.0);
  EXPECT_EQ(row.at("idle_seconds").to_number<double>(), 15.0);
  EXPECT_EQ(row.at("busy_cost").to_number<double>(), 0.002);
  EXPECT_EQ(row.at("idle_cost").to_number<double>(), 0.015);
  EXPECT_EQ(reply.at("usage").at(0).at("cost_micros").as_int64(), 2000);
}

TEST(HostedMeter, SharesOfAllAreTheWhole) {
  Monotonic now{};
  HostedMeter meter(now);
  meter.set_rate(3'600'000'000, now);
  const auto a = meter.begin(now);
  const auto b = meter.begin(now += 1s);
  const auto c = meter.begin(now += 1s);
  Nanos sum = meter.end(a, now += 3s);  // 1 s alone, 1 s of two, 3 s of three
  EXPECT_EQ(sum, 2'500'000);
  sum += meter.end(c, now += 2s);
  sum += meter.end(b, now);
  now += 4s;
  const HostedSums sums = meter.take(now);
  EXPECT_EQ(sum, 7'000'000);
  EXPECT_EQ(sums.busy_cost, 7'000'000);
  EXPECT_EQ(sums.busy_us, 7'000'000);
  EXPECT_EQ(sums.idle_us, 4'000'000);
  EXPECT_EQ(sums.idle_cost, 4'000'000);
  meter.put_back(sums);
  EXPECT_EQ(meter.take(now).busy_cost, 7'000'000);
}

TEST(LedgerStage, AFullJournalRefusesOrServesByPolicy) {
  World world;
  const NamedProvider gpu("gpu");
  std::promise<void> gate;
  ASSERT_TRUE(world.store_->write(
      [&gate](store::Database&) -> Result<void> {
        gate.get_future().wait();
        return {};
      },
      [](Result<void>) {}));
  int served = 0;
  while (!world.serve(gpu, "llama", 1, 1).refused) ++served;
  EXPECT_EQ(served, 56);  // an eighth of 64 is kept for what is under way
  auto settings = std::make_shared<LedgerSettings>();
  settings->when_full = WhenFull::Serve;
  world.policy_.sections.set(0, settings);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(world.serve(gpu, "llama", 1, 1).refused);
  EXPECT_EQ(world.stage().dropped(), 2u);
  metrics::Registry registry(1);
  world.feature_.declare_metrics(registry);
  EXPECT_EQ(registry.collect().size(), 2u);
  gate.set_value();
  EXPECT_EQ(world.get("/api/usage").at("usage").at(0).at("requests").as_int64(), 64);
}

TEST(UsageVerb, PrintsATableOrTheReply) {
  World world;
  const NamedProvider gpu("gpu");
  world.serve(gpu, "llama", 11, 7);
  const auto verb = usage_verb();
  testing::internal::CaptureStdout();
  const std::vector<std::string> plain = {"--by", "model,key"};
  EXPECT_EQ(verb.run(plain, world), 0);
  const auto table = testing::internal::GetCapturedStdout();
  EXPECT_NE(table.find("smart"), std::string::npos) << table;
  EXPECT_NE(table.find("name-of-k1"), std::string::npos) << table;
  testing::internal::CaptureStdout();
  const std::vector<std::string> as_json = {"--json"};
  EXPECT_EQ(verb.run(as_json, world), 0);
  const auto reply = boost::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(reply.at("usage").at(0).at("input_tokens").as_int64(), 11);
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const std::vector<std::string> unknown = {"--no-such"};
  EXPECT_EQ(verb.run(unknown, world), 2);
  const std::vector<std::string> refused = {"--by", "nonsense"};
  EXPECT_EQ(verb.run(refused, world), 1);
  testing::internal::GetCapturedStdout();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("by takes"), std::string::npos);
}

}  // namespace
}  // namespace causeway::ledger
