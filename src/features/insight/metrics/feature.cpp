#include "features/insight/metrics/feature.h"

#include "features/insight/metrics/history_route.h"
#include "features/insight/metrics/overview.h"
#include "features/insight/metrics/stage.h"
#include "features/insight/metrics/window.h"
#include "platform/metrics/exposition.h"

namespace causeway::metrics {
namespace {

Task<AdminReply> ready(AdminReply reply) { co_return reply; }

AdminReply page(Registry& registry) {
  AdminReply reply;
  reply.content_type = kTextContentType;
  reply.body = to_prometheus_text(registry);
  return reply;
}

}  // namespace

MetricsFeature::MetricsFeature(Parts parts)
    : parts_(std::move(parts)),
      history_(parts_.registry, parts_.clock),
      stage_(std::make_unique<MetricsStage>(parts_.registry)) {
  add_process_metrics(parts_.registry);
}

MetricsFeature::~MetricsFeature() = default;

std::vector<Stage*> MetricsFeature::stages() { return {stage_.get()}; }

std::vector<AdminRoute> MetricsFeature::routes() {
  return {{http::Method::Get, "/metrics", "Everything counted, in Prometheus' text format.", false,
           [this](AdminRequest) { return ready(page(parts_.registry)); }},
          {http::Method::Get, "/api/overview",
           "Requests, errors, tokens, money and latency, over time, by model and provider.", false,
           [this](AdminRequest request) { return ready(overview(request)); }},
          {http::Method::Get, "/api/history", "One metric over time, by labels.", false,
           [this](AdminRequest request) { return ready(history_reply(history_, request)); }}};
}

std::vector<Verb> MetricsFeature::verbs() { return metrics_verbs(); }

AdminReply MetricsFeature::overview(const AdminRequest& request) const {
  const auto window = window_of(request, "1h");
  if (!window) return admin_error(window.error());
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object();
  const auto given = request.query.find("window");
  json.field("window", given == request.query.end() ? "1h" : given->second);
  const auto now = parts_.clock.wall().time_since_epoch();
  json.field("now", std::chrono::floor<std::chrono::seconds>(now).count());
  Overview(history_, *window)
      .write(json, parts_.in_flight(), parts_.currency(), tries_of(history_, *window));
  json.end_object();
  return reply;
}

}  // namespace causeway::metrics
