#include "features/insight/traces/record.h"

namespace causeway::traces {
namespace {

std::uint32_t micros(std::chrono::nanoseconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count() / 1000, 0, 0xFFFFFFFF));
}

std::int8_t number_of(const std::optional<Error>& error) {
  return error ? static_cast<std::int8_t>(error->kind) : std::int8_t{-1};
}

}  // namespace

void Record::set(const Exchange& exchange, const Outcome& outcome) {
  id.set(exchange.id);
  trace_id = exchange.trace_id;
  key_id.set(exchange.principal ? std::string_view(exchange.principal->key_id) : "");
  tenant.set(exchange.principal ? std::string_view(exchange.principal->tenant) : "");
  model.set(exchange.model_name);
  policy.set(exchange.policy ? std::string_view(exchange.policy->names) : "");
  started_millis = std::chrono::duration_cast<std::chrono::milliseconds>(
                       exchange.started_wall.time_since_epoch())
                       .count();
  status = static_cast<std::uint16_t>(outcome.status);
  error = number_of(outcome.error);
  operation = exchange.operation ? exchange.operation->kind : OperationKind::Refused;
  streamed = outcome.streamed;
  cut_by_client = outcome.cut_by_client;
  usage = outcome.usage;
  cost_micros = exchange.cost_micros.value_or(-1);
  total_micros = micros(outcome.total);
  first_content_micros = micros(outcome.to_first_content);
  upstream_micros = micros(outcome.upstream);
  mark_count = static_cast<std::uint8_t>(std::min(exchange.marks.size(), marks.size()));
  std::copy_n(exchange.marks.begin(), mark_count, marks.begin());
  attempt_count = static_cast<std::uint8_t>(std::min<std::size_t>(exchange.attempts.size(), 255));
  for (std::size_t i = 0; i < std::min(exchange.attempts.size(), attempts.size()); ++i) {
    const Attempt& attempt = exchange.attempts[i];
    attempts[i].target.set(attempt.target->name);
    attempts[i].end = attempt.end;
    attempts[i].error = number_of(attempt.error);
    attempts[i].micros = micros(attempt.took);
  }
}

void Ring::add(const Exchange& exchange, const Outcome& outcome) noexcept {
  // A reader holds one place at a time, so the second try nearly always fits.
  for (std::size_t tries = 0; tries < 4; ++tries) {
    Place& place = places_[next_];
    next_ = (next_ + 1) % places_.size();
    if (place.busy.test_and_set(std::memory_order_acquire)) continue;
    place.record.set(exchange, outcome);
    place.record.number = ++number_;
    place.busy.clear(std::memory_order_release);
    return;
  }
}

void Ring::copy_to(std::vector<Record>& out) const {
  for (const Place& place : places_) {
    while (place.busy.test_and_set(std::memory_order_acquire)) {
    }
    if (place.record.number != 0) out.push_back(place.record);
    place.busy.clear(std::memory_order_release);
  }
}

}  // namespace causeway::traces
