#include "features/insight/metrics/stage.h"

#include "core/error.h"
#include "core/provider.h"

namespace causeway::metrics {
namespace {

// Buckets of the OpenTelemetry GenAI conventions.
const std::vector<double> kTokenBounds = {
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
const std::vector<double> kSecondBounds = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                           1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const std::vector<double> kFirstTokenBounds = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60};
const std::vector<double> kPerTokenBounds = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                             0.3,  0.4,   0.5,  0.75,  1,   2.5};
const std::vector<double> kOverheadBounds = {5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3,
                                             2e-3, 5e-3, 1e-2, 5e-2, 0.1,  0.5,  1};

const char* kOperation = "gen_ai_operation_name";
const char* kProvider = "gen_ai_provider_name";
const char* kConfigured = "causeway_provider";  // as the configuration names it
const char* kModel = "gen_ai_request_model";

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Families::Families(Registry& registry) {
  const std::vector<std::string> usual = {kOperation, kProvider, kModel, "error_type"};
  tokens = registry.histogram({"gen_ai_client_token_usage",
                               "Tokens of one exchange.",
                               {kOperation, kProvider, kModel, "gen_ai_token_type"},
                               kTokenBounds});
  operation = registry.histogram(
      {"gen_ai_client_operation_duration_seconds",
       "From the request to the end of its answer, as the caller sees it.", usual, kSecondBounds});
  request = registry.histogram({"gen_ai_server_request_duration_seconds",
                                "Time in the provider that answered.", usual, kSecondBounds});
  first_token = registry.histogram({"gen_ai_server_time_to_first_token_seconds",
                                    "To the first content of a stream.",
                                    {kOperation, kProvider, kModel},
                                    kFirstTokenBounds});
  per_token = registry.histogram({"gen_ai_server_time_per_output_token_seconds",
                                  "Per output token behind the first, of streams.",
                                  {kOperation, kProvider, kModel},
                                  kPerTokenBounds});
  overhead =
      registry.histogram({"causeway_overhead_seconds",
                          "Time spent in Causeway itself: the whole less waiting for providers "
                          "(streams: up to the first content).",
                          {kOperation},
                          kOverheadBounds});
  cut = registry.counter(
      {"causeway_cut_by_client_total", "Callers that left before the end.", {kOperation, kModel}});
  attempts = registry.counter({"causeway_attempts_total",
                               "Tries, by provider and how they ended.",
                               {kProvider, kConfigured, kModel, "error_type"}});
  judged = registry.counter({"causeway_judged_answers_total",
                             "Answers of first targets that were judged by their confidence: kept, "
                             "or thrown away for another target's.",
                             {kModel, "verdict"}});
  cost = registry.counter({"causeway_cost_micros_total",
                           "What priced answers cost, in millionths of the currency.",
                           {kProvider, kModel}});
  saved = registry.counter({"causeway_tokens_saved_total",
                            "Tokens that minimising kept back, estimated.",
                            {kProvider, kModel}});
  stored = registry.counter({"causeway_stored_answers_total",
                             "Requests answered without a model, by where the answer was.",
                             {kModel, "source"}});
  stored_tokens = registry.counter({"causeway_stored_tokens_total",
                                    "Tokens that these answers had cost when they were made.",
                                    {kModel}});
  stored_cost = registry.counter({"causeway_stored_cost_micros_total",
                                  "The same in money, where the price is known, in millionths of "
                                  "the currency.",
                                  {kModel}});
}

struct MetricsStage::PerLoop {
  PerLoop(Registry& r, const Families& f, int loop)
      : registry(r),
        tokens(r, f.tokens, loop),
        operation(r, f.operation, loop),
        request(r, f.request, loop),
        first_token(r, f.first_token, loop),
        per_token(r, f.per_token, loop),
        overhead(r, f.overhead, loop, 4),
        cut(r, f.cut, loop),
        attempts(r, f.attempts, loop),
        judged(r, f.judged, loop),
        cost(r, f.cost, loop),
        saved(r, f.saved, loop),
        stored(r, f.stored, loop),
        stored_tokens(r, f.stored_tokens, loop),
        stored_cost(r, f.stored_cost, loop) {
    input = r.intern("input");
    output = r.intern("output");
    none = r.intern("");
  }

  /// Only for names that the configuration or a constant gives: the table is bounded.
  LabelId label(std::string_view value) {
    const auto found = labels.find(value);
    if (found != labels.end()) return found->second;
    return labels.emplace(value, registry.intern(value)).first->second;
  }

  Registry& registry;
  HandleCache<Histogram, 4> tokens, operation, request;
  HandleCache<Histogram, 3> first_token, per_token;
  HandleCache<Histogram, 1> overhead;
  HandleCache<Counter, 2> cut;
  HandleCache<Counter, 4> attempts;
  HandleCache<Counter, 2> judged, cost, saved, stored;
  HandleCache<Counter, 1> stored_tokens, stored_cost;
  NameMap<LabelId> labels;
  LabelId input, output, none;
};

MetricsStage::MetricsStage(Registry& registry) : registry_(registry), families_(registry) {
  for (int i = 0; i < registry.loops(); ++i) {
    loops_.push_back(std::make_unique<PerLoop>(registry, families_, i));
  }
}

MetricsStage::~MetricsStage() = default;

bool MetricsStage::admit_exposed(std::string_view model) {
  constexpr std::size_t kMostExposed = 16;
  const std::lock_guard guard(mutex_);
  if (exposed_.contains(model)) return true;
  if (exposed_.size() == kMostExposed) return false;
  exposed_.emplace(model);
  return true;
}

void MetricsStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (!exchange.operation || exchange.operation->body == BodyKind::None) return;
  PerLoop& loop = *loops_[static_cast<std::size_t>(exchange.context->index)];
  const LabelId operation = loop.label(to_string(exchange.operation->kind));
  // A name that nobody configured never becomes a label.
  const bool configured =
      exchange.model && exchange.snapshot->models.contains(exchange.model->name);
  const bool exposed =
      exchange.model && !configured && outcome.status < 400 &&
      (loop.labels.contains(exchange.model->name) || admit_exposed(exchange.model->name));
  const LabelId model = configured || exposed ? loop.label(exchange.model->name) : kOther;
  LabelId provider = loop.none;
  bool thrown_away = false;
  for (const Attempt& attempt : exchange.attempts) {
    if (attempt.end == AttemptEnd::Skipped || attempt.stored) continue;
    const bool unsure = attempt.end == AttemptEnd::Unsure;
    thrown_away |= unsure;
    provider = loop.label(attempt.target->provider->kind());
    const LabelId ended = unsure          ? loop.label("unsure")
                          : attempt.error ? loop.label(error_class(attempt.error->kind).label)
                                          : loop.none;
    const LabelId configured_name = loop.label(attempt.target->provider->name());
    loop.attempts.at({provider, configured_name, model, ended}).add();
  }
  if (exchange.confidence) {
    loop.judged.at({model, loop.label(thrown_away ? "thrown_away" : "kept")}).add();
  }
  const LabelId error =
      outcome.error ? loop.label(error_class(outcome.error->kind).label) : loop.none;
  loop.operation.at({operation, provider, model, error}).observe(seconds(outcome.total));
  loop.overhead.at({operation}).observe(seconds(outcome.own()));
  if (outcome.cut_by_client) loop.cut.at({operation, model}).add();
  if (!exchange.answered_from.empty()) {
    loop.stored.at({model, loop.label(exchange.answered_from)}).add();
    loop.stored_tokens.at({model}).add(outcome.saved.input() + outcome.saved.output());
    const auto micros = exchange.saved_micros.value_or(0);
    if (micros > 0) loop.stored_cost.at({model}).add(static_cast<std::uint64_t>(micros));
    return;
  }
  if (exchange.attempts.empty()) return;
  loop.request.at({operation, provider, model, error})
      .observe(seconds(exchange.attempts.back().waited));
  if (outcome.streamed && outcome.to_first_content.count()) {
    loop.first_token.at({operation, provider, model}).observe(seconds(outcome.to_first_content));
    const auto tokens = outcome.usage.output();
    if (tokens > 1) {
      loop.per_token.at({operation, provider, model})
          .observe(seconds(outcome.total - outcome.to_first_content) /
                   static_cast<double>(tokens - 1));
    }
  }
  if (outcome.usage.source != UsageSource::None) {
    loop.tokens.at({operation, provider, model, loop.input})
        .observe(static_cast<double>(outcome.usage.input()));
    loop.tokens.at({operation, provider, model, loop.output})
        .observe(static_cast<double>(outcome.usage.output()));
  }
  if (exchange.cost_micros && *exchange.cost_micros > 0) {
    loop.cost.at({provider, model}).add(static_cast<std::uint64_t>(*exchange.cost_micros));
  }
  if (exchange.tokens_saved.value_or(0) > 0) {
    loop.saved.at({provider, model}).add(*exchange.tokens_saved);
  }
}

}  // namespace causeway::metrics
