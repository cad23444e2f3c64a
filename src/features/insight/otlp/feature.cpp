#include "features/insight/otlp/feature.h"

namespace causeway::otlp {

void OtlpFeature::declare_metrics(metrics::Registry& registry) {
  using metrics::SampleSink;
  registry.sampled(metrics::Kind::Counter,
                   {.name = "causeway_otlp_exchanges_total",
                    .help = "Exchanges whose spans were sent to the receiver, or dropped: it did "
                            "not take them, or more came than it takes.",
                    .labels = {"result"}},
                   [this](SampleSink& sink) {
                     const auto counts = exporter_.counts();
                     sink.add({"sent"}, static_cast<double>(counts.spans_sent));
                     sink.add({"dropped"}, static_cast<double>(counts.spans_dropped));
                   });
  registry.sampled(
      metrics::Kind::Counter,
      {.name = "causeway_otlp_failures_total",
       .help = "Requests to the receiver that it did not take.",
       .labels = {}},
      [this](SampleSink& sink) { sink.add({}, static_cast<double>(exporter_.counts().failures)); });
}

}  // namespace causeway::otlp
