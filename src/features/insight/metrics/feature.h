// Counts what passes through, by the names of the OpenTelemetry GenAI conventions, and serves
// GET /metrics.
#pragma once

#include <memory>
#include <vector>

#include "core/feature.h"
#include "platform/metrics/registry.h"

namespace causeway::metrics {

class MetricsStage;

class MetricsFeature final : public Feature {
 public:
  /// `registry` outlives the feature.
  explicit MetricsFeature(Registry& registry);
  ~MetricsFeature() override;
  std::string_view name() const override { return "metrics"; }
  std::vector<Stage*> stages() override;
  std::vector<AdminRoute> routes() override;

 private:
  Registry& registry_;
  std::unique_ptr<MetricsStage> stage_;
};

}  // namespace causeway::metrics
