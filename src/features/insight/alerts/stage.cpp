#include "features/insight/alerts/stage.h"

#include <algorithm>

#include "platform/http/server_stream.h"

namespace causeway::alerts {
namespace {

using std::chrono::nanoseconds;

std::uint64_t micros(nanoseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count() / 1000));
}

std::string_view key_of(const Principal* caller) {
  if (!caller) return {};
  return caller->key_name.empty() ? caller->key_id : caller->key_name;
}

std::size_t number(ErrorKind kind) { return static_cast<std::size_t>(kind); }

/// Our own limits, budgets and blocks refuse who asks too much, before a target is asked: they do
/// their work, and the matter is the caller's own, as a wrong request is. A full queue of a model
/// of ours is a failure.
bool is_callers_own(const Exchange& exchange, const Error& error) {
  const bool too_much =
      error.kind == ErrorKind::RateLimited || error.kind == ErrorKind::QuotaExhausted;
  return too_much && error.origin == Origin::Us && exchange.attempts.empty();
}

/// An answer's time in parts that add up to the whole, what its caller let us wait aside.
void note_times(Cell& cell, const Exchange& exchange, const Outcome& outcome) {
  constexpr nanoseconds kNone{0};
  nanoseconds lost{0};
  for (std::size_t i = 0; i + 1 < exchange.attempts.size(); ++i) {
    lost += exchange.attempts[i].took - exchange.attempts[i].queued;
  }
  const Attempt& last = exchange.attempts.back();
  const nanoseconds network = last.connecting;
  const nanoseconds provider = std::max(kNone, outcome.upstream - lost - network);
  const bool stream = outcome.streamed && outcome.to_first_content > kNone;
  const nanoseconds until = outcome.until_answer() - outcome.caller;
  const nanoseconds behind =
      std::clamp(last.waited - network - provider, kNone, outcome.total - outcome.until_answer());
  const nanoseconds total = until + (stream ? behind : kNone);
  cell.add(kAnswered);
  cell.add(kTotal, micros(total));
  cell.add(kTotals + bucket_of(micros(total)));
  cell.add(kQueue, micros(until - lost - network - provider));
  if (network > kNone) cell.add(kNetwork, micros(network));
  if (lost > kNone) cell.add(kLost, micros(lost));
  if (stream) {
    cell.add(kStreams);
    cell.add(kFirst, micros(provider));
    cell.add(kFirsts + bucket_of(micros(until)));
    cell.add(kGeneration, micros(behind));
    cell.add(kStreamed, outcome.usage.output());
  } else {
    cell.add(kGeneration, micros(provider));
    cell.add(kWhole, micros(provider));
  }
  cell.add(kInput, outcome.usage.input());
  cell.add(kOutput, outcome.usage.output());
}

// Where a provider does not name its model, a translated answer has the application's own word.
bool tells_maker(const Exchange& exchange, const Attempt& attempt) {
  return attempt.made_by.model_size > 0 &&
         (attempt.translated.empty() || attempt.made_by.model() != exchange.model_name);
}

}  // namespace

AlertStage::AlertStage(int loops) {
  for (int i = 0; i < loops; ++i) {
    cells_.push_back(std::make_unique<LoopCells>());
    makers_.push_back(std::make_unique<LoopMakers>());
  }
}

// A try may have failed at another target than the one that the exchange ended with.
void AlertStage::note_attempts(LoopCells& cells, const Exchange& exchange,
                               Cell& last) const noexcept {
  for (const Attempt& attempt : exchange.attempts) {
    if (attempt.end == AttemptEnd::Skipped || attempt.stored) continue;
    const bool is_last = &attempt == &exchange.attempts.back();
    Cell& cell = is_last ? last
                         : cells.at(attempt.target->key, attempt.target->name, exchange.model->name,
                                    key_of(exchange.principal));
    cell.add(kAttempts);
    if (attempt.error && attempt.end != AttemptEnd::Unsure)
      cell.add(kAttemptErrors + number(attempt.error->kind));
  }
}

void AlertStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (!exchange.operation) return;
  const auto loop = static_cast<std::size_t>(exchange.context->index);
  LoopCells& cells = *cells_[loop];
  if (!exchange.principal && outcome.error && outcome.error->kind == ErrorKind::Unauthenticated) {
    cells.stranger(exchange.address).add(kErrors + number(ErrorKind::Unauthenticated));
    return;
  }
  if (exchange.operation->body == BodyKind::None) return;
  const Attempt* last = exchange.attempts.empty() ? nullptr : &exchange.attempts.back();
  Cell& cell =
      cells.at(last ? last->target->key : 0,
               last ? std::string_view(last->target->name) : std::string_view(),
               exchange.model ? std::string_view(exchange.model->name) : std::string_view(),
               key_of(exchange.principal));
  cell.add(kRequests);
  if (outcome.error && !is_callers_own(exchange, *outcome.error)) {
    cell.add(kErrors + number(outcome.error->kind));
  }
  if (!last) return;
  note_attempts(cells, exchange, cell);
  if (const auto cost = exchange.cost_micros.value_or(0); cost > 0) {
    cell.add(kCost, static_cast<std::uint64_t>(cost));
  }
  if (outcome.error || outcome.status >= 400 || last->stored) return;
  note_times(cell, exchange, outcome);
  if (tells_maker(exchange, *last)) {
    makers_[loop]->note(last->target->key, last->target->name, last->made_by.model(),
                        last->made_by.fingerprint());
  }
}

}  // namespace causeway::alerts
