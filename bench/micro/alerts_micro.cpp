// What counting an exchange for the alerts costs the loop that answered it, and what reading a
// loop's table costs the control loop.
#include <benchmark/benchmark.h>

#include <string>

#include "core/operation.h"
#include "features/insight/alerts/stage.h"

namespace {

using namespace causeway;

struct World {
  alerts::AlertStage stage{1};
  Operation operation;
  LoopContext context;
  Principal caller;
  Model model;
  Target target = make_target("openai/gpt-4.1", nullptr, "gpt-4.1");
  SlotLayout layout;
  Exchange exchange{layout};

  World() {
    operation.kind = OperationKind::Chat;
    operation.body = BodyKind::Json;
    caller.key_name = "shop";
    model.name = "fast";
    exchange.context = &context;
    exchange.operation = &operation;
    exchange.principal = &caller;
    exchange.model = &model;
    exchange.model_name = model.name;
    exchange.cost_micros = 1234;
    Attempt& attempt = exchange.attempts.emplace_back();
    attempt.target = &target;
    MadeBy& made_by = attempt.made_by;
    made_by.model_size = static_cast<std::uint8_t>(
        std::string_view("gpt-4.1-2025-04-14").copy(made_by.model_bytes.data(), 64));
    made_by.fingerprint_size = static_cast<std::uint8_t>(
        std::string_view("fp_44709d6fcb").copy(made_by.fingerprint_bytes.data(), 64));
    Outcome& outcome = exchange.outcome;
    outcome.status = 200;
    outcome.streamed = true;
    outcome.total = std::chrono::milliseconds(900);
    outcome.to_first_content = std::chrono::milliseconds(300);
    outcome.upstream = std::chrono::milliseconds(299);
    outcome.usage.source = UsageSource::Reported;
    outcome.usage.input_uncached = 500;
    outcome.usage.output_visible = 60;
  }
};

void alerts_exchange(benchmark::State& state) {
  World world;
  for (auto _ : state) world.stage.on_done(world.exchange, world.exchange.outcome);
}

void alerts_read_full_table(benchmark::State& state) {
  World world;
  for (std::size_t i = 0; i < alerts::LoopCells::kMost - 1; ++i) {
    world.caller.key_name = "key " + std::to_string(i);
    world.stage.on_done(world.exchange, world.exchange.outcome);
  }
  alerts::Collector collector(world.stage.cells());
  for (auto _ : state) benchmark::DoNotOptimize(collector.take());
}

BENCHMARK(alerts_exchange);
BENCHMARK(alerts_read_full_table);

}  // namespace
