#include "features/insight/access_log/stage.h"

#include <ctime>

#include "core/dialect.h"
#include "core/error.h"
#include "core/provider.h"
#include "features/insight/access_log/line.h"
#include "platform/http/server_stream.h"
#include "platform/log/access_log.h"

namespace causeway::access_log {
namespace {

std::int64_t micros(std::chrono::nanoseconds time) { return time.count() / 1000; }

// RFC 3339 with milliseconds; the second is formatted once per loop.
void write_time(Line& line, Wall wall, std::int64_t& second, std::string& stamp) {
  const auto since = wall.time_since_epoch();
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  if (now != second) {
    second = now;
    const std::time_t time = now;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32];
    stamp.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts));
  }
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count() - now * 1000;
  char* at = stamp.data() + stamp.size() - 4;
  at[0] = static_cast<char>('0' + millis / 100);
  at[1] = static_cast<char>('0' + millis / 10 % 10);
  at[2] = static_cast<char>('0' + millis % 10);
  line.word("time", stamp);
}

std::string_view source_text(UsageSource source) {
  switch (source) {
    case UsageSource::Reported:
      return "reported";
    case UsageSource::Estimated:
      return "estimated";
    case UsageSource::Saved:
    case UsageSource::None:
      break;
  }
  return {};
}

void write_caller(Line& line, const Exchange& exchange) {
  const Principal* principal = exchange.principal;
  line.text("key_id", principal ? std::string_view(principal->key_id) : "");
  line.text("tenant", principal ? std::string_view(principal->tenant) : "");
  line.text("user", principal ? std::string_view(principal->user) : "");
  line.text("peer", exchange.address);
}

void write_target(Line& line, const Exchange& exchange) {
  const Target* target = exchange.attempts.empty() ? nullptr : exchange.attempts.back().target;
  line.text("provider", target ? target->provider->name() : "");
  line.text("model", exchange.model_name);
  line.text("target", target ? std::string_view(target->name) : "");
  line.text("policy", exchange.policy ? std::string_view(exchange.policy->names) : "");
}

void write_usage(Line& line, const Exchange& exchange, const Outcome& outcome) {
  const Usage& usage = outcome.usage;
  line.number("input_tokens", usage.input());
  line.number("output_tokens", usage.output());
  line.number("cache_read_tokens", usage.cache_read);
  line.number("reasoning_tokens", usage.reasoning);
  line.text("usage_source", source_text(usage.source));
  if (exchange.cost_micros) line.fixed("cost", *exchange.cost_micros, 6);
  if (!exchange.answered_from.empty()) line.text("answered_from", exchange.answered_from);
  if (exchange.tokens_saved) line.number("tokens_saved", *exchange.tokens_saved);
}

// "tls/gpt tls_failed, down/gpt connect_failed": which targets were tried in vain, and why.
void write_failures(Line& line, const Exchange& exchange) {
  std::array<char, 256> words;
  std::size_t size = 0;
  const auto put = [&](std::string_view word) {
    size += word.copy(words.data() + size, words.size() - size);
  };
  for (const Attempt& attempt : exchange.attempts) {
    const bool in_vain = attempt.end == AttemptEnd::Failed || attempt.end == AttemptEnd::Unsure;
    if (!in_vain || !attempt.error) continue;
    if (size > 0) put(", ");
    put(attempt.target->name);
    put(" ");
    put(error_code(*attempt.error));
  }
  if (size > 0) line.text("failed", {words.data(), size});
}

constexpr std::chrono::milliseconds kWorthTelling{1};

void write_times(Line& line, const Outcome& outcome) {
  if (outcome.to_first_content.count() > 0) {
    line.fixed("ttft_ms", micros(outcome.to_first_content), 3);
  }
  line.fixed("total_ms", micros(outcome.total), 3);
  line.fixed("overhead_ms", micros(outcome.own()), 3);
  if (outcome.caller >= kWorthTelling) line.fixed("caller_ms", micros(outcome.caller), 3);
  if (outcome.queued >= kWorthTelling) line.fixed("queued_ms", micros(outcome.queued), 3);
}

}  // namespace

AccessLogStage::PerLoop::PerLoop() : buffer(std::make_unique<char[]>(Line::kMostBytes)) {}

void AccessLogStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (!log_ || (exchange.policy && !exchange.policy->sections.get(key_).on)) return;
  if (exchange.operation && exchange.operation->kind == OperationKind::Health) return;
  const int loop = exchange.context->index;
  PerLoop& own = loops_[static_cast<std::size_t>(loop)];
  Line line(own.buffer.get());
  write_time(line, exchange.started_wall, own.second, own.stamp);
  line.text("request_id", exchange.id);
  line.word("trace_id", {exchange.trace_id.data(), exchange.trace_id.size()});
  write_caller(line, exchange);
  line.word("operation", exchange.operation ? to_string(exchange.operation->kind) : "unknown");
  line.text("method", exchange.head().method_text);
  line.text("path", exchange.head().path);
  write_target(line, exchange);
  if (exchange.operation) line.word("dialect", exchange.operation->dialect->name());
  line.raw("stream", outcome.streamed ? "true" : "false");
  line.number("status", static_cast<std::uint64_t>(outcome.status));
  line.text("error", outcome.error ? error_class(outcome.error->kind).label : "");
  if (outcome.error) line.text("error_code", error_code(*outcome.error));
  write_usage(line, exchange, outcome);
  write_times(line, outcome);
  line.number("attempts", exchange.attempts.size());
  write_failures(line, exchange);
  line.number("request_bytes", outcome.request_bytes);
  line.number("answer_bytes", outcome.answer_bytes);
  log_->write(loop, line.end());
}

}  // namespace causeway::access_log
