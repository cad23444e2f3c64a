#include "core/exchange_record.h"

#include <cmath>

#include "core/dialect.h"
#include "core/error.h"
#include "core/provider.h"
#include "core/snapshot.h"

namespace causeway {
namespace {

std::uint32_t micros(std::chrono::nanoseconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count() / 1000, 0, 0xFFFFFFFF));
}

std::int8_t number_of(const std::optional<Error>& error) {
  return error ? static_cast<std::int8_t>(error->kind) : std::int8_t{-1};
}

std::string_view code_of(const std::optional<Error>& error) {
  return error ? error_code(*error) : std::string_view();
}

void set_attempt(AttemptRecord& to, const Attempt& from, Monotonic began) {
  to.target.set(from.target->name);
  to.member.set(from.target->member);
  to.upstream_model.set(from.target->upstream_model);
  to.answering_model.set(from.made_by.model());
  to.provider_kind = from.target->provider ? from.target->provider->kind() : std::string_view();
  to.at_micros = micros(from.started + from.queued - began);
  to.dialect = from.dialect ? from.dialect->name() : std::string_view();
  to.end = from.end;
  // An answer that was thrown away is no fault of its target.
  to.error = from.end == AttemptEnd::Unsure ? std::int8_t{-1} : number_of(from.error);
  to.code.set(code_of(from.error));
  to.status = static_cast<std::uint16_t>(from.error ? from.error->upstream_status : 0);
  to.micros = micros(from.took - from.queued);
  to.usage = from.usage;
}

// Whole lines only: what does not fit is left out.
void set_order(Short<255>& to, const std::vector<const Target*>& targets) {
  for (const Target* target : targets) {
    const bool several = !target->member.empty();
    const std::size_t size = target->name.size() + (several ? 1 + target->member.size() : 0);
    const bool first = to.size == 0;
    if (to.size + size + !first > to.bytes.size()) return;
    const auto put = [&](std::string_view text) {
      to.size =
          static_cast<std::uint8_t>(to.size + text.copy(to.bytes.data() + to.size, text.size()));
    };
    if (!first) put("\n");
    put(target->name);
    if (several) put(" "), put(target->member);
  }
}

}  // namespace

std::array<char, 16> attempt_span_id(std::array<char, 16> span_id, std::size_t index) {
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  const auto last = static_cast<unsigned>(value(span_id[14]) * 16 + value(span_id[15]));
  const unsigned other = last ^ static_cast<unsigned>(index % 255 + 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  span_id[14] = kDigits[other >> 4];
  span_id[15] = kDigits[other & 15];
  return span_id;
}

void ExchangeRecord::set(const Exchange& exchange, const Outcome& outcome) {
  const Principal* caller = exchange.principal;
  id.set(exchange.id);
  trace_id = exchange.trace_id;
  span_id = exchange.span_id;
  parent_span_id = exchange.parent_span_id;
  key_id.set(caller ? std::string_view(caller->key_id) : "");
  tenant.set(caller ? std::string_view(caller->tenant) : "");
  user.set(caller ? std::string_view(caller->user) : "");
  model.set(exchange.model_name);
  policy.set(exchange.policy ? std::string_view(exchange.policy->names) : "");
  rule.set(exchange.rule);
  order.size = 0;
  set_order(order, exchange.targets);
  confidence = static_cast<std::int16_t>(
      exchange.confidence ? std::lround(*exchange.confidence * 1000) : -1);
  code.set(code_of(outcome.error));
  const Operation* on = exchange.operation;
  dialect = on && on->dialect ? on->dialect->name() : std::string_view();
  started_micros = std::chrono::duration_cast<std::chrono::microseconds>(
                       exchange.started_wall.time_since_epoch())
                       .count();
  config_version = exchange.snapshot ? exchange.snapshot->version : 0;
  request_bytes = outcome.request_bytes;
  answer_bytes = outcome.answer_bytes;
  status = static_cast<std::uint16_t>(outcome.status);
  error = number_of(outcome.error);
  operation = on ? on->kind : OperationKind::Refused;
  stop = outcome.stop;
  streamed = outcome.streamed;
  cut_by_client = outcome.cut_by_client;
  usage = outcome.usage;
  cost_micros = exchange.cost_micros.value_or(-1);
  total_micros = micros(outcome.total);
  first_content_micros = micros(outcome.to_first_content);
  upstream_micros = micros(outcome.upstream);
  caller_micros = micros(outcome.caller);
  queued_micros = micros(outcome.queued);
  mark_count = static_cast<std::uint8_t>(std::min(exchange.marks.size(), marks.size()));
  std::copy_n(exchange.marks.begin(), mark_count, marks.begin());
  fired_count = static_cast<std::uint8_t>(std::min(exchange.fired.size(), fired.size()));
  std::copy_n(exchange.fired.begin(), fired_count, fired.begin());
  attempt_count = static_cast<std::uint8_t>(std::min<std::size_t>(exchange.attempts.size(), 255));
  for (std::size_t i = 0; i < attempts_kept(); ++i) {
    set_attempt(attempts[i], exchange.attempts[i], exchange.started);
  }
}

}  // namespace causeway
