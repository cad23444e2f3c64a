// The spans of one exchange.
#include <algorithm>

#include "core/error.h"
#include "features/insight/otlp/json.h"
#include "platform/text/json_writer.h"

namespace causeway::otlp {
namespace {

enum Kind { kServer = 2, kClient = 3 };  // of a span
constexpr int kError = 2;                // status of a span

std::string_view finish_reason(Stop stop) {
  switch (stop) {
    case Stop::None:
      return {};
    case Stop::Done:
      return "stop";
    case Stop::Length:
      return "length";
    case Stop::Tools:
      return "tool_calls";
    case Stop::Filtered:
      return "content_filter";
    case Stop::Pause:
      return "pause";
    case Stop::Broken:
      return "error";
    case Stop::Unknown:
      return "unknown";
  }
  return {};
}

class Span {
 public:
  Span(text::JsonWriter& json, const ExchangeRecord& record, std::string_view id,
       std::string_view parent, Kind kind)
      : json_(json) {
    json_.begin_object();
    json_.field("traceId", std::string_view(record.trace_id.data(), record.trace_id.size()));
    json_.field("spanId", id);
    if (!parent.empty()) json_.field("parentSpanId", parent);
    json_.field("kind", static_cast<int>(kind));
  }
  void name(std::string_view operation, std::string_view model) {
    std::string name(operation);
    if (!model.empty()) name.append(" ").append(model);
    json_.field("name", name);
  }
  /// Microseconds.
  void times(std::int64_t from, std::int64_t took) {
    json_.field("startTimeUnixNano", std::to_string(from * 1000));
    json_.field("endTimeUnixNano", std::to_string((from + took) * 1000));
    json_.key("attributes").begin_array();
  }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    json_.begin_object().field("key", key).key("value").begin_object();
    json_.field("stringValue", value).end_object().end_object();
  }
  void number(std::string_view key, std::uint64_t value) {
    json_.begin_object().field("key", key).key("value").begin_object();
    json_.field("intValue", std::to_string(value)).end_object().end_object();
  }
  void real(std::string_view key, double value) {
    json_.begin_object().field("key", key).key("value").begin_object();
    json_.field("doubleValue", value).end_object().end_object();
  }
  void flag(std::string_view key, bool value) {
    json_.begin_object().field("key", key).key("value").begin_object();
    json_.field("boolValue", value).end_object().end_object();
  }
  void texts(std::string_view key, std::string_view only) {
    if (only.empty()) return;
    json_.begin_object().field("key", key).key("value").begin_object();
    json_.key("arrayValue").begin_object().key("values").begin_array();
    json_.begin_object().field("stringValue", only).end_object();
    json_.end_array().end_object().end_object().end_object();
  }
  void end(bool failed, std::string_view why) {
    json_.end_array().key("status").begin_object();
    if (failed) json_.field("code", kError).field("message", why);
    json_.end_object().end_object();
  }

 private:
  text::JsonWriter& json_;
};

std::string_view view(const std::array<char, 16>& id) { return {id.data(), id.size()}; }

std::string_view error_type(std::int8_t number) {
  return number < 0 ? std::string_view() : error_class(static_cast<ErrorKind>(number)).label;
}

void write_usage(Span& span, const Usage& usage) {
  if (usage.source == UsageSource::None) return;
  span.number("gen_ai.usage.input_tokens", usage.input());
  span.number("gen_ai.usage.output_tokens", usage.output());
  if (usage.cache_read) span.number("gen_ai.usage.cache_read.input_tokens", usage.cache_read);
  if (usage.cache_write) span.number("gen_ai.usage.cache_creation.input_tokens", usage.cache_write);
}

// Whose traffic it is and what was decided; the user's name is not told.
void write_decisions(Span& span, const ExchangeRecord& record,
                     std::span<const std::string> stages) {
  span.text("causeway.request_id", record.id.view());
  span.text("causeway.key", record.key_id.view());
  span.text("causeway.tenant", record.tenant.view());
  span.text("causeway.policy", record.policy.view());
  span.text("causeway.dialect", record.dialect);
  span.number("causeway.config_version", record.config_version);
  if (record.cost_micros >= 0) {
    span.real("causeway.cost", static_cast<double>(record.cost_micros) / 1e6);
  }
  span.number("causeway.attempts", record.attempt_count);
  if (record.confidence >= 0) {
    span.real("causeway.confidence", static_cast<double>(record.confidence) / 1000);
  }
  for (std::size_t i = 0; i < record.mark_count; ++i) {
    const StageMark& mark = record.marks[i];
    if (mark.stage >= stages.size()) continue;
    const std::string prefix = "causeway.stage." + stages[mark.stage];
    span.real(prefix + ".microseconds", static_cast<double>(mark.nanoseconds) / 1000);
    if (mark.ended) span.text("causeway.ended_by", stages[mark.stage]);
  }
  for (std::size_t i = 0; i < record.fired_count; ++i) {
    const Fired& fired = record.fired[i];
    span.number("causeway.found." + std::string(fired.kind), fired.count);
  }
}

void write_exchange(text::JsonWriter& json, const ExchangeRecord& record,
                    std::span<const std::string> stages) {
  const std::string_view parent =
      record.parent_span_id[0] ? view(record.parent_span_id) : std::string_view();
  Span span(json, record, view(record.span_id), parent, kServer);
  span.name(to_string(record.operation), record.model.view());
  span.times(record.started_micros, record.total_micros);
  span.text("gen_ai.operation.name", to_string(record.operation));
  span.text("gen_ai.request.model", record.model.view());
  span.number("http.response.status_code", record.status);
  span.text("error.type", error_type(record.error));
  span.texts("gen_ai.response.finish_reasons", finish_reason(record.stop));
  write_usage(span, record.usage);
  if (record.streamed) {
    span.flag("gen_ai.request.stream", true);
    span.real("gen_ai.response.time_to_first_chunk",
              static_cast<double>(record.first_content_micros) / 1e6);
  }
  write_decisions(span, record, stages);
  // A caller's own fault is no error of the server's span.
  const bool failed = record.error >= 0 && (record.status >= 500 || record.status < 400);
  span.end(failed, record.code.view());
}

void write_attempt(text::JsonWriter& json, const ExchangeRecord& record, std::size_t index) {
  const AttemptRecord& attempt = record.attempts[index];
  const auto id = attempt_span_id(record.span_id, index);
  Span span(json, record, view(id), view(record.span_id), kClient);
  span.name(to_string(record.operation), attempt.upstream_model.view());
  span.times(record.started_micros + attempt.at_micros, attempt.micros);
  span.text("gen_ai.operation.name", to_string(record.operation));
  span.text("gen_ai.provider.name", provider_name(attempt.provider_kind));
  span.text("gen_ai.request.model", attempt.upstream_model.view());
  span.text("gen_ai.response.model", attempt.answering_model.view());
  span.text("causeway.target", attempt.target.view());
  span.text("causeway.dialect", attempt.dialect);
  const bool answered = attempt.end == AttemptEnd::Answered || attempt.end == AttemptEnd::Stored;
  write_usage(span, answered ? record.usage : attempt.usage);
  if (attempt.status) span.number("http.response.status_code", attempt.status);
  span.text("error.type", error_type(attempt.error));
  span.end(attempt.error >= 0, attempt.code.view());
}

}  // namespace

std::string spans_json(const ExchangeRecord& record, std::span<const std::string> stages) {
  std::string out;
  text::JsonWriter json(out);
  write_exchange(json, record, stages);
  for (std::size_t i = 0; i < record.attempts_kept(); ++i) write_attempt(json, record, i);
  return out;
}

}  // namespace causeway::otlp
