#include "platform/metrics/exposition.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

namespace causeway::metrics {
namespace {

using prometheus::ClientMetric;

prometheus::MetricType to_type(Kind kind) {
  switch (kind) {
    case Kind::Counter:
      return prometheus::MetricType::Counter;
    case Kind::Gauge:
      return prometheus::MetricType::Gauge;
    case Kind::Histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

/// Buckets as Prometheus wants them: cumulated. The count is their sum and not a cell of its own,
/// so that it always agrees with the buckets although a loop writes meanwhile.
ClientMetric::Histogram to_histogram(const Sample& sample, const std::vector<double>& bounds) {
  ClientMetric::Histogram histogram;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < sample.counts.size(); ++i) {
    total += sample.counts[i];
    if (i < bounds.size()) histogram.bucket.push_back({total, bounds[i]});
  }
  histogram.sample_count = total;
  histogram.sample_sum = sample.sum;
  return histogram;
}

ClientMetric to_metric(const Sample& sample, const FamilySamples& family) {
  ClientMetric metric;
  for (std::size_t i = 0; i < sample.labels.size(); ++i) {
    metric.label.push_back({family.spec.labels[i], sample.labels[i]});
  }
  switch (family.kind) {
    case Kind::Counter:
      metric.counter.value = sample.value;
      break;
    case Kind::Gauge:
      metric.gauge.value = sample.value;
      break;
    case Kind::Histogram:
      metric.histogram = to_histogram(sample, family.spec.bounds);
      break;
  }
  return metric;
}

class ToPrometheus final : public prometheus::Collectable {
 public:
  explicit ToPrometheus(const Registry& registry) : registry_(registry) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    for (const auto& family : registry_.collect()) {
      if (family.samples.empty()) continue;
      auto& out = families.emplace_back();
      out.name = family.spec.name;
      out.help = family.spec.help;
      out.type = to_type(family.kind);
      for (const auto& sample : family.samples) out.metric.push_back(to_metric(sample, family));
    }
    return families;
  }

 private:
  const Registry& registry_;
};

}  // namespace

std::string to_prometheus_text(const Registry& registry) {
  return prometheus::TextSerializer{}.Serialize(ToPrometheus(registry).Collect());
}

}  // namespace causeway::metrics
