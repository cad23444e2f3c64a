// What recording an exchange costs the loop that answered it, with and without its contents.
#include <benchmark/benchmark.h>

#include <string>

#include "core/dialect.h"
#include "core/snapshot.h"
#include "dialects/openai/dialect.h"
#include "features/insight/traces/queue.h"

namespace {

using namespace causeway;

struct World {
  openai::OpenAiDialect dialect;
  Operation operation;
  EffectivePolicy policy;
  Principal caller;
  SlotLayout layout;
  Exchange exchange{layout};
  Target target = make_target("openai/gpt-4.1", nullptr, "gpt-4.1");
  std::string body;

  World() {
    operation.dialect = &dialect;
    policy.names = "everyone";
    caller.key_id = "config:shop";
    caller.tenant = "acme";
    caller.user = "ann@example";
    body = R"({"model":"fast","messages":[{"role":"user","content":")" + std::string(2000, 'x') +
           R"("}]})";
    body.reserve(body.size() + 64);
    exchange.operation = &operation;
    exchange.policy = &policy;
    exchange.principal = &caller;
    exchange.id = "req_0123456789abcdef01234567";
    exchange.trace_id.fill('a');
    exchange.model_name = "fast";
    for (std::uint8_t i = 0; i < 10; ++i) exchange.marks.push_back({i, false, 1234});
    exchange.fired.push_back({"pii", "email", "mask", 1});
    static_cast<void>(dialect.read(operation, {}, body, exchange.index));
    exchange.request = Request(exchange.index);
    Attempt& attempt = exchange.attempts.emplace_back();
    attempt.target = &target;
    attempt.dialect = &dialect;
    attempt.end = AttemptEnd::Answered;
    attempt.request = exchange.request.fork();
    exchange.outcome.status = 200;
    exchange.outcome.usage.source = UsageSource::Reported;
  }
};

// The queue goes round through all its places, as it does where the writer keeps up.
void traces_record(benchmark::State& state) {
  World world;
  traces::Queue queue(1024);
  for (auto _ : state) {
    traces::Queue::Place* place = queue.begin_push();
    place->record.set(world.exchange, world.exchange.outcome);
    benchmark::DoNotOptimize(queue.end_push());
    queue.pop();
  }
}

void traces_record_contents(benchmark::State& state) {
  World world;
  traces::Queue queue(1024);
  for (auto _ : state) {
    auto contents = std::make_unique<traces::Contents>();
    for (int i = 0; i < 20; ++i) contents->add({}, "a piece of the answer, of forty-five letters.");
    contents->set_request(world.exchange.attempts[0].request.joined());
    traces::Queue::Place* place = queue.begin_push();
    place->record.set(world.exchange, world.exchange.outcome);
    place->contents = std::move(contents);
    benchmark::DoNotOptimize(queue.end_push());
    queue.pop();
  }
}

BENCHMARK(traces_record);
BENCHMARK(traces_record_contents);

}  // namespace
