#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

#include "platform/metrics/exposition.h"
#include "platform/metrics/handles.h"
#include "platform/metrics/parse_for_tests.h"
#include "platform/metrics/registry.h"

namespace causeway::metrics {
namespace {

void expect_sound_histogram(const Parsed& parsed, const std::string& name) {
  double last = -1;
  double bound = -std::numeric_limits<double>::infinity();
  for (const auto& sample : parsed.samples) {
    if (sample.name != name + "_bucket") continue;
    const double le = std::stod(sample.labels.at("le"));
    EXPECT_GT(le, bound);
    EXPECT_GE(sample.value, last);
    bound = le;
    last = sample.value;
  }
  EXPECT_TRUE(std::isinf(bound));
  for (const auto& sample : parsed.samples) {
    if (sample.name == name + "_count") {
      EXPECT_EQ(sample.value, last);
    }
  }
}

TEST(Metrics, SumsOverLoopsAndParsesBack) {
  Registry registry(2);
  const auto requests = registry.counter({"requests_total", "Requests.", {"model", "status"}});
  const auto open = registry.gauge({"connections", "Open connections.", {}});
  registry.cell(requests, 0, {"fast", "2xx"}).add(3);
  registry.cell(requests, 1, {"fast", "2xx"}).add(4);
  registry.cell(requests, registry.background(), {"fast", "2xx"}).add_shared(5);
  registry.cell(requests, 0, {"fast", "5xx"}).add();
  registry.cell(open, 0).set(7);
  registry.cell(open, 1).add(-2);

  const auto parsed = parse_exposition(to_prometheus_text(registry));
  EXPECT_EQ(parsed.types.at("requests_total"), "counter");
  EXPECT_EQ(parsed.types.at("connections"), "gauge");
  EXPECT_EQ(parsed.helps.at("requests_total"), "Requests.");
  EXPECT_EQ(parsed.find("requests_total", {{"model", "fast"}, {"status", "2xx"}})->value, 12);
  EXPECT_EQ(parsed.find("requests_total", {{"model", "fast"}, {"status", "5xx"}})->value, 1);
  EXPECT_EQ(parsed.find("connections", {})->value, 5);
}

TEST(Metrics, HistogramBuckets) {
  Registry registry(1);
  const auto family = registry.histogram({"wait_seconds", "Wait.", {"m"}, {0.1, 0.5, 2.5}});
  auto& cell = registry.cell(family, 0, {"x"});
  for (const double value : {-1.0, 0.1, 0.100001, 0.5, 2.5, 2.6, 1e9}) cell.observe(value);
  cell.observe(std::numeric_limits<double>::quiet_NaN());
  registry.cell(family, registry.background(), {"x"}).observe_shared(0.2);

  const auto parsed = parse_exposition(to_prometheus_text(registry));
  const auto bucket = [&](const char* le) {
    return parsed.find("wait_seconds_bucket", {{"m", "x"}, {"le", le}})->value;
  };
  EXPECT_EQ(bucket("0.1"), 2);
  EXPECT_EQ(bucket("0.5"), 5);
  EXPECT_EQ(bucket("2.5"), 6);
  EXPECT_EQ(bucket("+Inf"), 9);
  EXPECT_NEAR(parsed.find("wait_seconds_sum", {{"m", "x"}})->value, 1e9 + 5.0, 1);
  expect_sound_histogram(parsed, "wait_seconds");
}

TEST(Metrics, LabelValuesAreEscapedCutAndMadeValid) {
  Registry registry(1);
  const auto family = registry.counter({"x_total", "X.", {"m"}});
  const std::string odd = "a\"b\\c\nd,e{}=é";
  registry.cell(family, 0, {odd}).add();
  registry.cell(family, 0, {std::string(1000, 'z')}).add();
  registry.cell(family, 0, {"bad\xFF"}).add(2);
  const auto parsed = parse_exposition(to_prometheus_text(registry));
  EXPECT_EQ(parsed.find("x_total", {{"m", odd}})->value, 1);
  EXPECT_EQ(parsed.find("x_total", {{"m", std::string(128, 'z')}})->value, 1);
  EXPECT_EQ(parsed.find("x_total", {{"m", "other"}})->value, 2);
}

TEST(Metrics, SeriesAreBoundedAndTotalsStayTrue) {
  Registry registry(1);
  const auto family = registry.counter({"x_total", "X.", {"m"}, {}, 10});
  for (int i = 0; i < 1000; ++i) registry.cell(family, 0, {std::to_string(i)}).add();
  registry.cell(family, 0, {"other"}).add();
  const auto samples = registry.collect().front().samples;
  EXPECT_EQ(samples.size(), 11u);
  double total = 0;
  for (const auto& sample : samples) total += sample.value;
  EXPECT_EQ(total, 1001);
}

TEST(Metrics, BadDeclarationsAreRefused) {
  Registry registry(1);
  EXPECT_THROW(registry.counter({"x", "no _total", {}}), std::invalid_argument);
  EXPECT_THROW(registry.counter({"1x_total", "X.", {}}), std::invalid_argument);
  EXPECT_THROW(registry.counter({"x_total", "two\nlines", {}}), std::invalid_argument);
  EXPECT_THROW(registry.counter({"x_total", "X.", {"a-b"}}), std::invalid_argument);
  EXPECT_THROW(registry.histogram({"x_seconds", "X.", {}, {}}), std::invalid_argument);
  EXPECT_THROW(registry.histogram({"x_seconds", "X.", {}, {1, 1}}), std::invalid_argument);
  EXPECT_THROW(registry.histogram({"x_seconds", "X.", {"le"}, {1}}), std::invalid_argument);
  EXPECT_THROW(registry.sampled(Kind::Histogram, {"x_seconds", "X.", {}, {1}}, {}),
               std::invalid_argument);
  registry.counter({"x_total", "X.", {}});
  EXPECT_THROW(registry.counter({"x_total", "X.", {}}), std::invalid_argument);
}

TEST(Metrics, HandlesFindTheSameCellsEvenWhenTheTableIsTooSmall) {
  Registry registry(1);
  const auto family = registry.counter({"x_total", "X.", {"m", "s"}, {}, 5000});
  HandleCache<Counter, 2> handles(registry, family, 0, 3);  // room for eight
  std::vector<LabelId> models;
  for (int i = 0; i < 50; ++i) models.push_back(registry.intern("m" + std::to_string(i)));
  const LabelId ok = registry.intern("2xx");
  const LabelId error = registry.intern("5xx");
  for (int round = 0; round < 3; ++round) {
    for (const LabelId model : models) {
      handles.at({model, ok}).add();
      handles.at({model, error}).add(2);
    }
  }
  handles.at({kOther, kOther}).add(9);
  for (int i = 0; i < 50; ++i) {
    const auto name = "m" + std::to_string(i);
    EXPECT_EQ(registry.cell(family, 0, {name, "2xx"}).value(), 3u);
    EXPECT_EQ(registry.cell(family, 0, {name, "5xx"}).value(), 6u);
  }
  EXPECT_EQ(registry.cell(family, 0, {"other", "other"}).value(), 9u);
}

TEST(Metrics, InternedValuesAreStableAndBounded) {
  Registry registry(1);
  const LabelId first = registry.intern("first");
  EXPECT_EQ(registry.intern("first"), first);
  EXPECT_EQ(registry.intern("other"), kOther);
  for (int i = 0; i < 5000; ++i) registry.intern(std::to_string(i));
  EXPECT_EQ(registry.intern("one too many"), kOther);
  EXPECT_EQ(registry.intern("first"), first);
  EXPECT_EQ(registry.label(first), "first");
  EXPECT_EQ(registry.label(65535), "other");
}

TEST(Metrics, SourcesAreAskedAtExport) {
  Registry registry(1);
  int calls = 0;
  registry.sampled(Kind::Gauge, {"target_up", "State.", {"target"}, {}, 2}, [&](SampleSink& sink) {
    ++calls;
    sink.add({"a"}, 1);
    sink.add({"wrong", "count"}, 1);
    sink.add({"b"}, 0.5);
    sink.add({"past the limit"}, 1);
  });
  add_process_metrics(registry);
  EXPECT_EQ(calls, 0);
  const auto parsed = parse_exposition(to_prometheus_text(registry));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(parsed.find("target_up", {{"target", "b"}})->value, 0.5);
  EXPECT_EQ(parsed.find("target_up", {{"target", "past the limit"}}), nullptr);
  EXPECT_GT(parsed.find("process_resident_memory_bytes", {})->value, 1e6);
  EXPECT_GE(parsed.find("process_open_fds", {})->value, 3);
  EXPECT_GE(parsed.find("process_threads", {})->value, 1);
  const double start = parsed.find("process_start_time_seconds", {})->value;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_NEAR(start, std::chrono::duration<double>(now).count(), 120);
}

TEST(Metrics, ExportWhileLoopsWrite) {
  constexpr int kLoops = 3;
  constexpr int kRounds = 20000;
  Registry registry(kLoops);
  const auto counters = registry.counter({"x_total", "X.", {"m"}});
  const auto times = registry.histogram({"t_seconds", "T.", {"m"}, {1, 2, 4}});
  const LabelId labels[] = {registry.intern("a"), registry.intern("b")};
  std::atomic<int> running = kLoops;
  std::vector<std::thread> threads;
  for (int loop = 0; loop < kLoops; ++loop) {
    threads.emplace_back([&, loop] {
      HandleCache<Counter, 1> counter(registry, counters, loop);
      HandleCache<Histogram, 1> time(registry, times, loop);
      for (int i = 0; i < kRounds; ++i) {
        counter.at({labels[i % 2]}).add();
        time.at({labels[i % 2]}).observe(i % 5);
        registry.cell(counters, registry.background(), {"shared"}).add_shared();
      }
      --running;
    });
  }
  while (running > 0) EXPECT_NO_THROW(parse_exposition(to_prometheus_text(registry)));
  for (auto& thread : threads) thread.join();
  const auto parsed = parse_exposition(to_prometheus_text(registry));
  EXPECT_EQ(parsed.find("x_total", {{"m", "a"}})->value, kLoops * kRounds / 2);
  EXPECT_EQ(parsed.find("x_total", {{"m", "shared"}})->value, kLoops * kRounds);
  EXPECT_EQ(parsed.find("t_seconds_count", {{"m", "b"}})->value, kLoops * kRounds / 2);
}

}  // namespace
}  // namespace causeway::metrics
