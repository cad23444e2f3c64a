// What minimising a conversation of 64 KB costs, by what the policy asks for.
#include <benchmark/benchmark.h>

#include <string>

#include "core/exchange.h"
#include "dialects/openai/dialect.h"
#include "features/privacy/minimise/stage.h"

namespace {

using namespace causeway;

// Questions and answers about as many things as there are numbers, some of them mails.
std::string conversation() {
  std::string body = R"({"model":"m","messages":[{"role":"system","content":"Be brief."})";
  for (int i = 0; body.size() < 64 * 1024; ++i) {
    const std::string number = std::to_string(i);
    body +=
        R"(,{"role":"user","content":"Hello,\n\nwhat became of order )" + number +
        R"( and of the invoice? See https://shop.example/o?utm_source=mail&id=)" + number +
        R"( for all of it.\n\nBest regards,\nAnn Example\n\nOn 3 Mar 2026 10:00, Bob wrote:\n> )"
        R"(Your order is on its way and will be there soon.\n> Bob"})";
    body += R"(,{"role":"assistant","content":"Order )" + number +
            R"( left the warehouse on Monday, and the invoice went to the address that we have. )"
            R"(Please tell us if anything is missing, and we will look into it at once."})";
  }
  return body +
         R"(,{"role":"user","content":"Which address did the invoice of order 17 go to?"}]})";
}

void run(benchmark::State& state, const minimise::MinimiseSettings& settings) {
  static const openai::OpenAiDialect kDialect;
  std::string body = conversation();
  body.reserve(body.size() + 64);
  Operation operation;
  operation.kind = OperationKind::Chat;
  operation.dialect = &kDialect;
  EffectivePolicy policy;
  policy.sections.set(0, std::make_shared<minimise::MinimiseSettings>(settings));
  const SlotLayout layout;
  Exchange exchange(layout);
  exchange.operation = &operation;
  exchange.policy = &policy;
  if (!kDialect.read(operation, {}, body, exchange.index)) return state.SkipWithError("unread");
  minimise::MinimiseStage stage{SectionKey<minimise::MinimiseSettings>(0)};
  for (auto _ : state) {
    exchange.request = Request(exchange.index);
    benchmark::DoNotOptimize(stage.on_request(exchange));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
  state.counters["saved"] = exchange.tokens_saved.value_or(0);
}

void select(benchmark::State& state) {
  minimise::MinimiseSettings settings;
  settings.max_tokens = 4000;
  run(state, settings);
}
void strip(benchmark::State& state) {
  using minimise::Strip;
  minimise::MinimiseSettings settings;
  settings.strip = {Strip::Signatures, Strip::QuotedReplies, Strip::TrackingLinks, Strip::Base64,
                    Strip::RepeatedText};
  run(state, settings);
}
BENCHMARK(select)->Name("Minimise/select64KB")->Unit(benchmark::kMicrosecond);
BENCHMARK(strip)->Name("Minimise/strip64KB")->Unit(benchmark::kMicrosecond);

}  // namespace
