#include "features/insight/metrics/overview.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "features/insight/metrics/history_route.h"
#include "features/insight/metrics/stage.h"

namespace causeway::metrics {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

// A gateway's metrics, counted by hand.
struct House {
  House() : families(registry), history(start(), clock) {}
  Registry& start() {
    clock.set_wall(Wall(1'800'000'000s));
    return registry;
  }
  void request(const char* model, const char* error, double seconds, int count = 1) {
    auto& time = registry.cell(families.operation, 0, {"chat", "openai", model, error});
    for (int i = 0; i < count; ++i) time.observe(seconds);
  }
  void tick() {
    clock.advance(10s);
    history.tick();
  }
  void attempts(const char* provider, const char* ended, std::uint64_t count) {
    registry.cell(families.attempts, 0, {"openai", provider, "fast", ended}).add(count);
  }
  json::object overview(std::chrono::seconds window) {
    std::string out;
    text::JsonWriter writer(out);
    writer.begin_object();
    Overview(history, window).write(writer, 3, "EUR", tries_of(history, window));
    writer.end_object();
    return json::parse(out).as_object();
  }
  json::value past(std::map<std::string, std::string, std::less<>> query, int status = 200) {
    AdminRequest request;
    request.query = std::move(query);
    const auto reply = history_reply(history, request);
    EXPECT_EQ(reply.status, status) << reply.body;
    return json::parse(reply.body);
  }

  ManualClock clock;
  Registry registry{1};
  Families families;
  History history;
};

TEST(Overview, NothingYet) {
  House house;
  auto value = house.overview(1h);
  EXPECT_TRUE(value["points"].as_array().empty());
  EXPECT_EQ(value["totals"].at("requests").as_int64(), 0);
  EXPECT_TRUE(value["totals"].at("p95_ms").is_null());
  house.tick();
  EXPECT_EQ(house.overview(1h)["points"].as_array().size(), 1u);
}

TEST(Overview, AnAnswerThatWasThrownAwayIsNoErrorOfItsProvider) {
  House house;
  house.tick();
  house.attempts("small", "", 1);
  house.attempts("small", "unsure", 5);
  house.attempts("small", "timeout", 2);
  house.tick();
  const Tries small = tries_of(house.history, 1h).at("small");
  EXPECT_EQ(small.attempts, 8);
  EXPECT_EQ(small.errors, 2);
  EXPECT_EQ(small.failures, 2) << "by which a provider is said to be failing";
  EXPECT_EQ(small.errors_by_class.size(), 1u);
}

TEST(Overview, Figures) {
  House house;
  house.request("fast", "", 0.015, 10);  // between 0.01 and 0.02
  house.request("fast", "timeout", 3);
  house.request("smart", "rate_limited", 0.015, 2);
  house.registry.cell(house.families.tokens, 0, {"chat", "openai", "fast", "input"}).observe(700);
  house.registry.cell(house.families.tokens, 0, {"chat", "openai", "fast", "output"}).observe(30);
  house.registry.cell(house.families.cost, 0, {"openai", "fast"}).add(1'250'000);
  house.registry.cell(house.families.first_token, 0, {"chat", "openai", "fast"}).observe(0.07);
  const auto tried = [&](const char* error, std::uint64_t count) {
    house.registry.cell(house.families.attempts, 0, {"openai", "cloud", "fast", error}).add(count);
  };
  tried("", 10);
  tried("rate_limited", 2);
  tried("context_too_long", 4);
  house.tick();
  house.tick();
  auto value = house.overview(15min);
  const auto& points = value["points"].as_array();
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].at("t").as_int64(), 1'800'000'000);
  EXPECT_EQ(points[0].at("requests").as_int64(), 13);
  EXPECT_EQ(points[1].at("requests").as_int64(), 0);
  EXPECT_TRUE(points[1].at("p50_ms").is_null());
  const auto& totals = value["totals"].as_object();
  EXPECT_EQ(totals.at("errors").as_int64(), 3);
  EXPECT_EQ(totals.at("input_tokens").as_int64(), 700);
  EXPECT_EQ(totals.at("output_tokens").as_int64(), 30);
  EXPECT_DOUBLE_EQ(totals.at("cost").to_number<double>(), 1.25);
  EXPECT_DOUBLE_EQ(totals.at("p50_ms").to_number<double>(), 15.417);  // 10 + 10 * 6.5 / 12
  EXPECT_DOUBLE_EQ(totals.at("first_token_p50_ms").to_number<double>(), 70);
  EXPECT_EQ(totals.at("errors_by_class"), json::value({{"rate_limited", 2}, {"timeout", 1}}));
  EXPECT_EQ(totals.at("in_flight").as_int64(), 3);
  const auto& models = value["models"].as_array();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].at("model").as_string(), "fast");
  EXPECT_EQ(models[1].at("errors").as_int64(), 2);
  EXPECT_EQ(value["providers"].as_array(),
            json::value({{{"provider", "cloud"}, {"attempts", 16}, {"errors", 6}}}).as_array());
  EXPECT_EQ(value["currency"].as_string(), "EUR");
  const auto tries = tries_of(house.history, 1h).at("cloud");
  EXPECT_EQ(tries.failures, 2);  // what a caller asked too much for says nothing of the provider
}

TEST(HistoryRoute, KindsUnitsAndNothing) {
  House house;
  house.request("fast", "", 0.015, 4);
  house.tick();
  const auto times = house.past({{"metric", "gen_ai_client_operation_duration_seconds"},
                                 {"by", "gen_ai_request_model,error_type"},
                                 {"window", "15m"}});
  EXPECT_EQ(times.at("type").as_string(), "histogram");
  EXPECT_EQ(times.at("unit").as_string(), "seconds");
  EXPECT_EQ(times.at("step_seconds").as_int64(), 10);
  const auto& series = times.at("series").as_array().at(0).as_object();
  EXPECT_EQ(series.at("labels"),
            json::value({{"gen_ai_request_model", "fast"}, {"error_type", ""}}));
  ASSERT_EQ(series.at("count").as_array().size(), 90u);
  EXPECT_TRUE(series.at("count").as_array()[88].is_null());
  EXPECT_EQ(series.at("count").as_array()[89].to_number<double>(), 4);
  EXPECT_NEAR(series.at("p95").as_array()[89].to_number<double>(), 0.0195, 1e-9);
  house.tick();
  const auto later = house.past({{"metric", "gen_ai_client_operation_duration_seconds"}});
  const auto& all = later.at("series").as_array().at(0).as_object();
  EXPECT_EQ(all.at("count").as_array().back().to_number<double>(), 0);
  EXPECT_TRUE(all.at("p50").as_array().back().is_null());
}

TEST(HistoryRoute, Refusals) {
  House house;
  house.request("fast", "", 1);
  house.tick();
  const std::string metric = "gen_ai_client_operation_duration_seconds";
  house.past({{"metric", "none"}}, 404);
  house.past({}, 404);
  house.past({{"metric", metric}, {"by", "nope"}}, 400);
  house.past({{"metric", metric}, {"where.nope", "1"}}, 400);
  house.past({{"metric", metric}, {"window", "8d"}}, 400);
  house.past({{"metric", metric}, {"limit", "5"}}, 400);
}

}  // namespace
}  // namespace causeway::metrics
