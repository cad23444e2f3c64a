#include "features/insight/ledger/stage.h"

#include "core/lost_attempts.h"
#include "core/provider.h"
#include "core/snapshot.h"

namespace causeway::ledger {
LedgerStage::LedgerStage(Ledger& ledger, HostedMeters& hosted, SlotLayout& slots,
                         SectionKey<LedgerSettings> settings, int loops)
    : ledger_(ledger),
      hosted_(hosted),
      slot_(slots.add<Settling>()),
      settings_(settings),
      loops_(static_cast<std::size_t>(loops)) {}

void LedgerStage::set_rates(const PriceSettings& settings) {
  hosted_.set_rates(settings.per_hour);
  any_hosted_.store(!hosted_.empty(), std::memory_order_relaxed);
}

std::uint64_t LedgerStage::dropped() const {
  std::uint64_t sum = 0;
  for (const PerLoop& loop : loops_) sum += loop.dropped.load(std::memory_order_relaxed);
  return sum;
}

LedgerStage::PerLoop& LedgerStage::loop_of(const Exchange& exchange) {
  return loops_[static_cast<std::size_t>(exchange.context->index)];
}

// While a reload is under way, exchanges of two configurations take turns here.
const Price* LedgerStage::price_of(const Exchange& exchange, const Target& target) {
  LoopPrices& prices = loop_of(exchange).prices;
  const auto& book = exchange.snapshot->prices;
  if (prices.book() != book.get()) prices.adopt(std::static_pointer_cast<const PriceBook>(book));
  return prices.find(target.provider->name(), target.upstream_model, target.name,
                     exchange.model_name);
}

Verdict LedgerStage::on_request(Exchange& exchange) {
  if (ledger_.has_room(exchange.context->index)) return go_on();
  if (exchange.policy->sections.get(settings_).when_full == WhenFull::Serve) return go_on();
  auto full = fail(ErrorKind::Overloaded, Origin::Us,
                   "Usage cannot be recorded at the moment; try again.", "ledger_full");
  full.error().retryable = true;
  full.error().retry_after = std::chrono::seconds(5);
  return full;
}

Verdict LedgerStage::on_attempt(Exchange& exchange, Attempt& attempt) {
  Settling& settling = exchange.slot(slot_);
  settling.cost = 0;
  settling.cost_known = false;
  exchange.cost_micros.reset();
  if (!any_hosted_.load(std::memory_order_relaxed)) return go_on();
  settling.meter = hosted_.find(attempt.target->provider->name());
  if (settling.meter) settling.mark = settling.meter->begin(exchange.context->clock->now());
  return go_on();
}

void LedgerStage::end_hosted(const Exchange& exchange, Settling& settling) {
  if (!settling.meter) return;
  settling.cost += settling.meter->end(settling.mark, exchange.context->clock->now());
  settling.cost_known = true;
  settling.meter = nullptr;
}

std::optional<Nanos> LedgerStage::cost_of_last(const Exchange& exchange, const Settling& settling) {
  if (settling.cost_known) return settling.cost;
  return exchange.attempts.empty() ? std::nullopt : exchange.attempts.back().cost_nanos;
}

// Money limits and the caller are told of all that the request has cost. Where its answer has no
// known price, it has none.
void LedgerStage::tell_cost(Exchange& exchange, std::optional<Nanos> own, bool lost) {
  const Nanos before = cost_before_last(exchange);
  if (lost) own = exchange.attempts.back().cost_nanos;
  const bool used_nothing = !exchange.attempts.empty() && exchange.attempts.back().error &&
                            exchange.attempts.back().usage.source == UsageSource::None;
  if (!own && used_nothing && before > 0) own = 0;
  if (!own) return;
  exchange.cost_nanos = *own + before;
  exchange.cost_micros = to_micros(*exchange.cost_nanos);
}

// Of an attempt that gave no answer: from here on it has its cost itself.
void LedgerStage::on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept {
  if (!attempt.error) return;
  Settling& settling = exchange.slot(slot_);
  end_hosted(exchange, settling);
  if (settling.cost_known) {
    attempt.cost_nanos = settling.cost;
  } else if (attempt.usage.source != UsageSource::None) {
    const Price* price = price_of(exchange, *attempt.target);
    if (price) attempt.cost_nanos = cost_of(attempt.usage, *price);
  }
  settling.cost_known = false;
}

void LedgerStage::on_usage(Exchange& exchange, const Usage& usage) noexcept {
  if (exchange.attempts.empty()) return;
  const Target& target = *exchange.attempts.back().target;
  const Price* price = price_of(exchange, target);
  Settling& settling = exchange.slot(slot_);
  const auto cost = price ? cost_of(usage, *price) : std::nullopt;
  if (!cost) return;
  settling.cost = *cost;
  settling.cost_known = true;
  exchange.cost_micros = to_micros(*cost + cost_before_last(exchange));
}

// What the answer had cost when a model made it, or would have.
void LedgerStage::settle_saved(Exchange& exchange, Settlement& settlement) {
  const auto& attempts = exchange.attempts;
  const auto& targets = exchange.model->targets;
  const Target* target = attempts.empty() ? nullptr : attempts.back().target;
  if (!target && !targets.empty()) target = &targets.front();
  const Price* price = target ? price_of(exchange, *target) : nullptr;
  settlement.cost = price ? cost_of(exchange.outcome.saved, *price) : std::nullopt;
  if (settlement.cost) exchange.saved_micros = to_micros(*settlement.cost);
  settlement.usage = exchange.outcome.saved;
  settlement.usage.source = UsageSource::Saved;
}

Settlement LedgerStage::settlement_of(const Exchange& exchange, const Attempt* attempt) {
  Settlement settlement;
  settlement.key = exchange.principal->key_id;
  settlement.tenant = exchange.principal->tenant;
  settlement.model = exchange.model_name;
  settlement.time = exchange.started_wall;
  if (!attempt) return settlement;
  settlement.provider = attempt->target->provider->name();
  settlement.upstream = attempt->target->upstream_model;
  return settlement;
}

void LedgerStage::append(const Exchange& exchange, const Settlement& settlement) {
  if (ledger_.append(exchange.context->index, settlement)) return;
  loop_of(exchange).dropped.fetch_add(1, std::memory_order_relaxed);
}

void LedgerStage::settle_lost(const Exchange& exchange, const Outcome& outcome) {
  for (const Attempt& attempt : exchange.attempts) {
    if (!is_lost(exchange, attempt, outcome)) continue;
    Settlement settlement = settlement_of(exchange, &attempt);
    settlement.usage = attempt.usage;
    settlement.cost = attempt.cost_nanos;
    settlement.lost = true;
    append(exchange, settlement);
  }
}

void LedgerStage::on_settle(Exchange& exchange, const Outcome& outcome) noexcept {
  Settling& settling = exchange.slot(slot_);
  const bool saved = outcome.saved.source != UsageSource::None;
  if (saved && settling.meter) {  // nothing was asked of it
    (void)settling.meter->end(settling.mark, exchange.context->clock->now());
    settling.meter = nullptr;
  }
  end_hosted(exchange, settling);
  if (!exchange.principal || !exchange.model) return;
  const auto& attempts = exchange.attempts;
  Settlement settlement = settlement_of(exchange, attempts.empty() ? nullptr : &attempts.back());
  settlement.usage = outcome.usage;
  if (saved) {
    settle_saved(exchange, settlement);
    exchange.cost_nanos = cost_before_last(exchange);  // the stored answer itself costs nothing
  }
  settlement.tokens_saved = attempts.empty() ? 0 : exchange.tokens_saved.value_or(0);
  if (!saved) {
    const bool lost = !attempts.empty() && is_lost(exchange, attempts.back(), outcome);
    if (!lost) settlement.cost = cost_of_last(exchange, settling);
    tell_cost(exchange, settlement.cost, lost);
  }
  settlement.status = outcome.status;
  if (outcome.error) settlement.error = outcome.error->kind;
  settlement.streamed = outcome.streamed;
  settlement.cut_by_client = outcome.cut_by_client;
  settlement.duration = outcome.total;
  settlement.to_first = outcome.to_first_content;
  append(exchange, settlement);
  settle_lost(exchange, outcome);
}

}  // namespace causeway::ledger
