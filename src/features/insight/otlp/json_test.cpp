#include "features/insight/otlp/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace causeway::otlp {
namespace {

namespace bj = boost::json;

ExchangeRecord record() {
  ExchangeRecord one{};
  one.id.set("req_1");
  std::fill(one.trace_id.begin(), one.trace_id.end(), 'a');
  std::fill(one.span_id.begin(), one.span_id.end(), 'b');
  one.model.set("a \"quoted\" model");
  one.started_micros = 1'700'000'000'000'000;
  one.total_micros = 2500;
  one.status = 200;
  one.cost_micros = 1250;
  one.mark_count = 1;
  one.marks[0] = {.stage = 1, .ended = false, .nanoseconds = 1500};
  return one;
}

bj::array spans_of(const ExchangeRecord& one) {
  const std::vector<std::string> stages{"admit", "choose"};
  return bj::parse("[" + spans_json(one, stages) + "]").as_array();
}

TEST(OtlpJson, NumbersOf64BitsAreTexts) {
  const auto spans = spans_of(record());
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].at("startTimeUnixNano").as_string(), "1700000000000000000");
  EXPECT_EQ(spans[0].at("endTimeUnixNano").as_string(), "1700000000002500000");
  EXPECT_EQ(spans[0].at("name").as_string(), "chat a \"quoted\" model");
  EXPECT_FALSE(spans[0].as_object().contains("parentSpanId"));
}

TEST(OtlpJson, EachAttemptIsAChild) {
  ExchangeRecord one = record();
  one.attempt_count = 6;  // of which four are kept
  for (auto& attempt : one.attempts) attempt.upstream_model.set("up");
  const auto spans = spans_of(one);
  ASSERT_EQ(spans.size(), 5u);
  std::set<std::string> ids;
  for (const auto& span : spans) ids.emplace(span.at("spanId").as_string());
  EXPECT_EQ(ids.size(), 5u);
  for (std::size_t i = 1; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].at("parentSpanId").as_string(), spans[0].at("spanId").as_string());
  }
}

TEST(OtlpJson, SpanIdsOfAttemptsAreHexAndDiffer) {
  for (const char* id : {"0000000000000001", "00000000000000ff", "fedcba9876543210"}) {
    std::array<char, 16> span{};
    std::copy_n(id, 16, span.begin());
    std::set<std::string> seen{id};
    for (std::size_t i = 0; i < 255; ++i) {
      const auto other = attempt_span_id(span, i);
      const std::string text(other.begin(), other.end());
      EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
      EXPECT_TRUE(seen.insert(text).second) << text;
    }
  }
}

TEST(OtlpJson, AHistogramAddsUp) {
  metrics::FamilySamples family{.spec = {.name = "gen_ai_client_operation_duration_seconds",
                                         .help = "h",
                                         .labels = {"gen_ai_provider_name", "error_type"},
                                         .bounds = {0.5, 1}},
                                .kind = metrics::Kind::Histogram,
                                .samples = {}};
  family.samples.push_back({.labels = {"bedrock", ""}, .counts = {1, 0, 2}, .sum = 7.5});
  const auto request = bj::parse(metrics_request({"s", "v", "i"}, {family}, 1, 2));
  const auto& metric =
      request.at_pointer("/resourceMetrics/0/scopeMetrics/0/metrics/0").as_object();
  EXPECT_EQ(metric.at("name").as_string(), "gen_ai.client.operation.duration");
  const auto& point = metric.at("histogram").at("dataPoints").at(0);
  EXPECT_EQ(point.at("count").as_string(), "3");
  EXPECT_EQ(point.at("bucketCounts").as_array().size(), 3u);
  ASSERT_EQ(point.at("attributes").as_array().size(), 1u) << "what is empty is left out";
  EXPECT_EQ(point.at_pointer("/attributes/0/value/stringValue").as_string(), "aws.bedrock");
}

}  // namespace
}  // namespace causeway::otlp
