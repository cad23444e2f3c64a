// The feature "otlp": spans and metrics to an OpenTelemetry collector.
#pragma once

#include <string_view>

#include "core/feature.h"
#include "features/insight/otlp/exporter.h"

namespace causeway::otlp {

class OtlpFeature final : public Feature {
 public:
  explicit OtlpFeature(Exporter::Parts parts) : exporter_(std::move(parts)) {}
  Exporter& exporter() { return exporter_; }
  /// causeway_otlp_*.
  void declare_metrics(metrics::Registry& registry);
  std::string_view name() const override { return "otlp"; }

 private:
  Exporter exporter_;
};

}  // namespace causeway::otlp
