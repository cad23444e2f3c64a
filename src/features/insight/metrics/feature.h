// Counts what passes through, by the names of the OpenTelemetry GenAI conventions, serves
// GET /metrics, and keeps what was for the console: GET /api/overview, GET /api/history.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/feature.h"
#include "platform/base/clock.h"
#include "platform/metrics/history.h"
#include "platform/metrics/registry.h"

namespace causeway::metrics {

class MetricsStage;

class MetricsFeature final : public Feature {
 public:
  struct Parts {
    Registry& registry;  // outlives the feature, as does the clock
    const Clock& clock;
    std::function<std::int64_t()> in_flight;  // exchanges that run now
    std::function<std::string()> currency;
  };
  explicit MetricsFeature(Parts parts);
  ~MetricsFeature() override;
  std::string_view name() const override { return "metrics"; }
  std::vector<Stage*> stages() override;
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

  /// Of the control loop, as the routes are.
  History& history() { return history_; }

 private:
  AdminReply overview(const AdminRequest& request) const;

  Parts parts_;
  History history_;
  std::unique_ptr<MetricsStage> stage_;
};

/// `causeway overview` and `causeway history`; they need nothing but a way to the routes.
std::vector<Verb> metrics_verbs();

}  // namespace causeway::metrics
