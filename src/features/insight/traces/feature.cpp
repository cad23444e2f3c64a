#include "features/insight/traces/feature.h"

#include "core/error.h"
#include "platform/text/ascii.h"
#include "platform/text/json_writer.h"

namespace causeway::traces {
namespace {

constexpr std::size_t kRecordsPerLoop = 1000;
constexpr std::size_t kMostListed = 1000;

std::string_view end_text(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::Answered:
      return "answered";
    case AttemptEnd::Failed:
      return "failed";
    case AttemptEnd::Cancelled:
      return "cancelled";
    case AttemptEnd::Running:
      break;
  }
  return "running";
}

void write_error(text::JsonWriter& json, std::int8_t error) {
  json.key("error");
  if (error < 0) {
    json.null();
  } else {
    json.string(error_class(static_cast<ErrorKind>(error)).label);
  }
}

void write_record(text::JsonWriter& json, const Record& record,
                  const std::vector<std::string>& stages) {
  json.begin_object().field("request_id", record.id.view());
  json.field("trace_id", std::string_view(record.trace_id.data(), record.trace_id.size()));
  json.field("started_ms", record.started_millis).field("key_id", record.key_id.view());
  json.field("tenant", record.tenant.view()).field("operation", to_string(record.operation));
  json.field("model", record.model.view()).field("policy", record.policy.view());
  json.field("status", record.status);
  write_error(json, record.error);
  json.field("stream", record.streamed).field("cut_by_client", record.cut_by_client);
  json.field("input_tokens", record.usage.input()).field("output_tokens", record.usage.output());
  json.field("estimated", record.usage.source == UsageSource::Estimated);
  if (record.cost_micros >= 0) json.key("cost").money(record.cost_micros);
  json.field("total_us", record.total_micros)
      .field("first_content_us", record.first_content_micros);
  json.field("upstream_us", record.upstream_micros);
  json.key("stages").begin_array();
  for (std::size_t i = 0; i < record.mark_count; ++i) {
    const StageMark& mark = record.marks[i];
    json.begin_object();
    json.field("stage", mark.stage < stages.size() ? std::string_view(stages[mark.stage]) : "?");
    json.field("ns", mark.nanoseconds).field("ended", mark.ended).end_object();
  }
  json.end_array().field("attempts_total", record.attempt_count).key("attempts").begin_array();
  const auto kept = std::min<std::size_t>(record.attempt_count, record.attempts.size());
  for (std::size_t i = 0; i < kept; ++i) {
    const AttemptRecord& attempt = record.attempts[i];
    json.begin_object().field("target", attempt.target.view()).field("end", end_text(attempt.end));
    write_error(json, attempt.error);
    json.field("us", attempt.micros).end_object();
  }
  json.end_array().end_object();
}

bool wanted(const Record& record, const AdminRequest& request) {
  const auto given = [&](const char* name) -> std::string_view {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string_view() : std::string_view(found->second);
  };
  const auto model = given("model"), key = given("key"), status = given("status");
  if (!model.empty() && model != record.model.view()) return false;
  if (!key.empty() && key != record.key_id.view()) return false;
  if (!status.empty() && status != std::to_string(record.status)) return false;
  return given("errors") != "1" || record.error >= 0;
}

}  // namespace

TraceStage::TraceStage(int loops, std::size_t records_per_loop) {
  for (int i = 0; i < loops; ++i) rings_.push_back(std::make_unique<Ring>(records_per_loop));
}

void TraceStage::on_done(Exchange& exchange, const Outcome& outcome) noexcept {
  if (exchange.operation && exchange.operation->kind == OperationKind::Health) return;
  rings_[static_cast<std::size_t>(exchange.context->index)]->add(exchange, outcome);
}

std::vector<Record> TraceStage::records() const {
  std::vector<Record> all;
  for (const auto& ring : rings_) ring->copy_to(all);
  std::stable_sort(all.begin(), all.end(), [](const Record& a, const Record& b) {
    return a.started_millis != b.started_millis ? a.started_millis > b.started_millis
                                                : a.number > b.number;
  });
  return all;
}

TracesFeature::TracesFeature(int loops, std::function<std::vector<std::string>()> stage_names)
    : stage_(loops, kRecordsPerLoop), stage_names_(std::move(stage_names)) {}

std::vector<AdminRoute> TracesFeature::routes() {
  return {{http::Method::Get, "/api/traces",
           "The last exchanges, newest first; limit, model, key, status, errors=1.", false,
           [this](AdminRequest request) { return list(std::move(request)); }},
          {http::Method::Get, "/api/traces/{id}", "One exchange by its request id.", false,
           [this](AdminRequest request) { return one(std::move(request)); }}};
}

Task<AdminReply> TracesFeature::list(AdminRequest request) {
  std::size_t limit = 100;
  if (const auto given = request.query.find("limit"); given != request.query.end()) {
    limit = std::min(text::parse_int<std::size_t>(given->second).value_or(limit), kMostListed);
  }
  const auto stages = stage_names_();
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("traces").begin_array();
  for (const Record& record : stage_.records()) {
    if (limit == 0) break;
    if (!wanted(record, request)) continue;
    write_record(json, record, stages);
    --limit;
  }
  json.end_array().end_object();
  co_return reply;
}

Task<AdminReply> TracesFeature::one(AdminRequest request) {
  AdminReply reply;
  for (const Record& record : stage_.records()) {
    if (record.id.view() != request.params["id"]) continue;
    text::JsonWriter json(reply.body);
    write_record(json, record, stage_names_());
    co_return reply;
  }
  Error error;
  error.kind = ErrorKind::NotFound;
  error.message = "No exchange of this id is remembered; only the last ones are.";
  co_return admin_error(error);
}

}  // namespace causeway::traces
