#include "features/insight/metrics/feature.h"

#include "features/insight/metrics/stage.h"
#include "platform/metrics/exposition.h"

namespace causeway::metrics {
namespace {

Task<AdminReply> page(Registry& registry) {
  AdminReply reply;
  reply.content_type = kTextContentType;
  reply.body = to_prometheus_text(registry);
  co_return reply;
}

}  // namespace

MetricsFeature::MetricsFeature(Registry& registry)
    : registry_(registry), stage_(std::make_unique<MetricsStage>(registry)) {
  add_process_metrics(registry);
}

MetricsFeature::~MetricsFeature() = default;

std::vector<Stage*> MetricsFeature::stages() { return {stage_.get()}; }

std::vector<AdminRoute> MetricsFeature::routes() {
  return {{http::Method::Get, "/metrics", "Everything counted, in Prometheus' text format.", false,
           [this](AdminRequest) { return page(registry_); }}};
}

}  // namespace causeway::metrics
