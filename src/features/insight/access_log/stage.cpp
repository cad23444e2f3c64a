#include "features/insight/access_log/stage.h"

#include <ctime>

#include "core/dialect.h"
#include "core/error.h"
#include "core/provider.h"
#include "platform/http/server_stream.h"
#include "platform/log/access_log.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway::access_log {
namespace {

constexpr std::size_t kLongestName = 256;  // of what a caller may have invented: path, model

std::string_view cut(std::string_view text) { return text::utf8_cut(text, kLongestName); }

std::int64_t micros(std::chrono::nanoseconds time) { return time.count() / 1000; }

// RFC 3339 with milliseconds; the second is formatted once per loop.
void write_time(text::JsonWriter& json, Wall wall, std::int64_t& second, std::string& stamp) {
  const auto since = wall.time_since_epoch();
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  if (now != second) {
    second = now;
    const std::time_t time = now;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32];
    stamp.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts));
  }
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count() - now * 1000;
  char text[40];
  const std::size_t size = stamp.copy(text, 24);
  text[size] = '.';
  text[size + 1] = static_cast<char>('0' + millis / 100);
  text[size + 2] = static_cast<char>('0' + millis / 10 % 10);
  text[size + 3] = static_cast<char>('0' + millis % 10);
  text[size + 4] = 'Z';
  json.key("time").string({text, size + 5});
}

void write_text(text::JsonWriter& json, text::JsonKey name, std::string_view value) {
  json.key(name);
  if (value.empty()) {
    json.null();
  } else {
    json.string(value);
  }
}

std::string_view source_text(UsageSource source) {
  switch (source) {
    case UsageSource::Reported:
      return "reported";
    case UsageSource::Estimated:
      return "estimated";
    case UsageSource::None:
      break;
  }
  return {};
}

void write_caller(text::JsonWriter& json, const Exchange& exchange) {
  const Principal* principal = exchange.principal;
  write_text(json, "key_id", principal ? std::string_view(principal->key_id) : "");
  write_text(json, "tenant", principal ? std::string_view(principal->tenant) : "");
  write_text(json, "user", principal ? std::string_view(principal->user) : "");
  write_text(json, "peer", exchange.stream->peer());
}

void write_target(text::JsonWriter& json, const Exchange& exchange) {
  const Target* target = exchange.attempts.empty() ? nullptr : exchange.attempts.back().target;
  write_text(json, "provider", target ? target->provider->name() : "");
  write_text(json, "model", cut(exchange.model_name));
  write_text(json, "target", target ? std::string_view(target->name) : "");
  write_text(json, "policy", exchange.policy ? std::string_view(exchange.policy->names) : "");
}

void write_usage(text::JsonWriter& json, const Exchange& exchange, const Outcome& outcome) {
  const Usage& usage = outcome.usage;
  json.field("input_tokens", usage.input()).field("output_tokens", usage.output());
  json.field("cache_read_tokens", usage.cache_read).field("reasoning_tokens", usage.reasoning);
  write_text(json, "usage_source", source_text(usage.source));
  if (exchange.cost_micros) json.key("cost").money(*exchange.cost_micros);
}

void write_times(text::JsonWriter& json, const Outcome& outcome) {
  if (outcome.to_first_content.count() > 0) {
    json.key("ttft_ms").fixed(micros(outcome.to_first_content), 3);
  }
  json.key("total_ms").fixed(micros(outcome.total), 3);
  const auto own = (outcome.streamed && outcome.to_first_content.count() ? outcome.to_first_content
                                                                         : outcome.total) -
                   outcome.upstream;
  json.key("overhead_ms").fixed(std::max<std::int64_t>(0, micros(own)), 3);
}

}  // namespace

void AccessLogStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (!log_ || (exchange.policy && !exchange.policy->sections.get(key_).on)) return;
  if (exchange.operation && exchange.operation->kind == OperationKind::Health) return;
  const int loop = exchange.context->index;
  PerLoop& own = loops_[static_cast<std::size_t>(loop)];
  own.line.clear();
  text::JsonWriter json(own.line);
  json.begin_object();
  write_time(json, exchange.started_wall, own.second, own.stamp);
  json.field("request_id", exchange.id);
  json.field("trace_id", std::string_view(exchange.trace_id.data(), exchange.trace_id.size()));
  write_caller(json, exchange);
  json.field("operation", exchange.operation ? to_string(exchange.operation->kind) : "unknown");
  json.field("method", cut(exchange.head().method_text)).field("path", cut(exchange.head().path));
  write_target(json, exchange);
  if (exchange.operation) json.field("dialect", exchange.operation->dialect->name());
  json.field("stream", outcome.streamed).field("status", outcome.status);
  write_text(json, "error", outcome.error ? error_class(outcome.error->kind).label : "");
  if (outcome.error) json.field("error_code", cut(error_code(*outcome.error)));
  write_usage(json, exchange, outcome);
  write_times(json, outcome);
  json.field("attempts", exchange.attempts.size());
  json.field("request_bytes", outcome.request_bytes).field("answer_bytes", outcome.answer_bytes);
  json.end_object();
  log_->write(loop, own.line);
}

}  // namespace causeway::access_log
