// Nanoseconds of the pieces of platform/ that every request pays for: writing JSON, counting,
// handing a log line over. Times are of one thread on a warm cache; the request path adds misses to
// them.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "platform/log/detail/byte_ring.h"
#include "platform/metrics/exposition.h"
#include "platform/metrics/handles.h"
#include "platform/metrics/registry.h"
#include "platform/text/glob.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway {
namespace {

/// A line with the fields of a real access-log line: about 30 fields, 650 bytes.
void build_access_line(std::string& out) {
  text::JsonWriter json(out);
  json.begin_object()
      .field("time", "2026-11-24T19:28:26.123Z")
      .field("request_id", "req_01JD8ZK5W3T7N9Q2X4V6B8C0DE")
      .field("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736")
      .field("key", "support-bot")
      .field("tenant", "acme")
      .field("user", "u-48213")
      .field("operation", "chat.completions")
      .field("model", "smart")
      .field("provider", "openai")
      .field("upstream_model", "gpt-4.1-2025-04-14")
      .field("dialect_in", "openai")
      .field("dialect_out", "openai")
      .field("stream", false)
      .field("status", 200)
      .field("input_tokens", 412)
      .field("cached_tokens", 128)
      .field("output_tokens", 150)
      .field("reasoning_tokens", 0)
      .field("usage", "reported")
      .key("cost")
      .money(1250)
      .field("cost_source", "catalogue")
      .key("first_byte_ms")
      .fixed(213456, 3)
      .key("total_ms")
      .fixed(1413456, 3)
      .key("overhead_ms")
      .fixed(31, 3)
      .field("attempts", 1)
      .field("bytes_in", 1988)
      .field("bytes_out", 905)
      .field("client", "127.0.0.1")
      .end_object();
}

void AccessLineBuilt(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    build_access_line(out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(AccessLineBuilt);

/// Into the ring and out again: what the loop pays, and the writer without its call into the
/// system.
void AccessLineHandedOver(benchmark::State& state) {
  std::string line;
  build_access_line(line);
  log::detail::ByteRing ring(1 << 20);
  for (auto _ : state) {
    if (ring.push(line) == log::detail::ByteRing::Push::HalfFull) {
      ring.consume(ring.readable().size());
    }
  }
}
BENCHMARK(AccessLineHandedOver);

void JsonStringEscaped(benchmark::State& state) {
  std::string input;
  while (input.size() < 1000) input += "The quick brown fox says \"hi\" to the lazy dog.\n";
  std::string out;
  for (auto _ : state) {
    out.clear();
    text::append_json_string(out, input);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * input.size()));
}
BENCHMARK(JsonStringEscaped);

void Utf8Validated(benchmark::State& state) {
  std::string input;
  while (input.size() < 1000) input += "Grüße aus Århus: the quick brown fox and so on and on. ";
  for (auto _ : state) benchmark::DoNotOptimize(text::utf8_valid(input));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * input.size()));
}
BENCHMARK(Utf8Validated);

void GlobMatched(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(text::glob_match("*/llama-*-instruct", "meta/llama-3.1-8b-instruct"));
  }
}
BENCHMARK(GlobMatched);

const std::vector<double> kTimes = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                    1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};

/// Values all over the buckets, so that branch prediction cannot learn one.
std::array<double, 1024> spread_times() {
  std::array<double, 1024> times;
  std::uint32_t x = 1;
  for (double& time : times) {
    x = x * 1664525u + 1013904223u;
    time = 0.005 * static_cast<double>(1u << (x >> 28)) * 1.1;
  }
  return times;
}

void CounterAdded(benchmark::State& state) {
  metrics::Registry registry(1);
  auto& counter = registry.cell(registry.counter({"x_total", "X.", {}}), 0);
  for (auto _ : state) {
    counter.add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(CounterAdded);

void CounterThroughHandleCache(benchmark::State& state) {
  metrics::Registry registry(1);
  const auto family = registry.counter({"x_total", "X.", {"model", "provider", "status"}});
  metrics::HandleCache<metrics::Counter, 3> handles(registry, family, 0);
  std::array<metrics::LabelId, 8> models;
  for (std::size_t i = 0; i < models.size(); ++i) models[i] = registry.intern(std::to_string(i));
  const auto provider = registry.intern("openai");
  const auto status = registry.intern("2xx");
  std::size_t i = 0;
  for (auto _ : state) {
    handles.at({models[i++ % models.size()], provider, status}).add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(CounterThroughHandleCache);

void HistogramObserved(benchmark::State& state) {
  metrics::Registry registry(1);
  auto& cell = registry.cell(registry.histogram({"x_seconds", "X.", {}, kTimes}), 0);
  const auto times = spread_times();
  std::size_t i = 0;
  for (auto _ : state) {
    cell.observe(times[i++ % times.size()]);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(HistogramObserved);

void ExportOfThousandSeries(benchmark::State& state) {
  metrics::Registry registry(2);
  const auto family = registry.histogram({"x_seconds", "X.", {"model"}, kTimes, 1000});
  for (int i = 0; i < 1000; ++i) registry.cell(family, i % 2, {std::to_string(i)}).observe(1);
  for (auto _ : state) benchmark::DoNotOptimize(metrics::to_prometheus_text(registry));
}
BENCHMARK(ExportOfThousandSeries)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace causeway

BENCHMARK_MAIN();
