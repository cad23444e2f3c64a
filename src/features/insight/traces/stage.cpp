#include "features/insight/traces/stage.h"

#include <charconv>
#include <utility>

#include "core/exchange.h"

namespace causeway::traces {
namespace {

bool keeps_contents(const TraceSettings& settings) {
  return !settings.off && settings.contents == Words::On;
}

constexpr std::chrono::seconds kSlow{10};

bool failed(const Outcome& outcome) { return outcome.error.has_value() || outcome.status >= 400; }

bool is_kept(const TraceSettings& settings, const Exchange& exchange, const Outcome& outcome) {
  if (settings.off) return false;
  if (in_sample(exchange.trace_id, settings.share)) return true;
  return (failed(outcome) && settings.always_has(Always::Errors)) ||
         (outcome.total >= settings.slow && settings.always_has(Always::Slow));
}

// As it went out, but no more of it than is kept: a body may have many megabytes.
std::string beginning(const Request& request) {
  Spans spans;
  request.bytes(spans);
  std::string body;
  for (const std::string_view span : spans) {
    if (body.size() > Contents::kMost) break;
    body += span.substr(0, Contents::kMost + 1 - body.size());
  }
  return body;
}

}  // namespace

bool in_sample(const std::array<char, 32>& trace_id, double share) {
  if (share >= 1) return true;
  std::uint32_t number = 0;
  std::from_chars(trace_id.data() + 24, trace_id.data() + 32, number, 16);
  return number < share * 4294967296.0;
}

bool SentStage::enabled(const Sections& sections) const {
  return keeps_contents(sections.get(key_));
}

Verdict SentStage::on_attempt(Exchange& exchange, Attempt&) {
  Saying& saying = exchange.slot(slot_);
  saying.contents.reset();
  const TraceSettings& settings = exchange.policy->sections.get(key_);
  const bool may_be_kept = !settings.always.empty() || in_sample(exchange.trace_id, settings.share);
  if (!may_be_kept || exchange.operation->body != BodyKind::Json) return go_on();
  // The caller's own word, as OpenAI's API has it.
  if (exchange.request.member("store") == "false") return go_on();
  saying.contents = std::make_unique<Contents>();
  saying.attempt = exchange.attempts.size() - 1;
  return go_on();
}

bool SaidStage::enabled(const Sections& sections) const {
  return keeps_contents(sections.get(key_));
}

bool SaidStage::watches(const Exchange& exchange) const {
  return const_cast<Exchange&>(exchange).slot(slot_).contents != nullptr;
}

Verdict SaidStage::on_event(Exchange& exchange, Event& event) {
  Contents& contents = *exchange.slot(slot_).contents;
  if (event.kind == EventKind::Text) contents.add(event.lane, event.text->get());
  if (event.kind == EventKind::ToolCall) contents.add_tool(event.lane, event.raw);
  return go_on();
}

std::unique_ptr<Contents> TraceStage::contents(Exchange& exchange) const {
  Saying saying = std::move(exchange.slot(slot_));
  if (!saying.contents || saying.attempt >= exchange.attempts.size()) return nullptr;
  saying.contents->set_request(beginning(exchange.attempts[saying.attempt].request));
  return std::move(saying.contents);
}

// A busy gateway's processor is for its callers: of exchanges that went well a part shows as much
// as all of them.
bool TraceStage::has_room(int loop, const Exchange& exchange, const Outcome& outcome) noexcept {
  const std::uint32_t most = archive_.per_second();
  if (most == 0) return true;
  const auto ended = exchange.started + outcome.total;
  const auto second = std::chrono::floor<std::chrono::seconds>(ended.time_since_epoch()).count();
  Second& now = seconds_[static_cast<std::size_t>(loop)];
  if (std::exchange(now.number, second) != second) now.taken = {};
  const bool well = !failed(outcome) && outcome.total < kSlow;
  if (++now.taken[well ? 0 : 1] <= most) return true;
  now.spared.store(now.spared.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return false;
}

std::uint64_t TraceStage::spared() const {
  std::uint64_t sum = 0;
  for (const Second& one : seconds_) sum += one.spared.load(std::memory_order_relaxed);
  return sum;
}

void TraceStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (exchange.operation && exchange.operation->kind == OperationKind::Health) return;
  if (exchange.policy && !is_kept(exchange.policy->sections.get(key_), exchange, outcome)) return;
  const int loop = exchange.context->index;
  if (!has_room(loop, exchange, outcome)) return;
  Record* record = archive_.begin(loop);
  if (!record) return;
  record->set(exchange, outcome);
  archive_.end(loop, contents(exchange));
}

}  // namespace causeway::traces
