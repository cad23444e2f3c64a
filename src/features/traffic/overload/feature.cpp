#include "features/traffic/overload/feature.h"

namespace causeway::overload {

void OverloadFeature::declare_metrics(metrics::Registry& metrics) {
  using metrics::Kind;
  using metrics::SampleSink;
  metrics.sampled(Kind::Gauge,
                  {"causeway_overload_limit",
                   "Requests of a model that may be under way at once, as learnt.",
                   {"model"}},
                  [this](SampleSink& sink) {
                    for (const auto& [name, view] : groups_.list()) sink.add({name}, view.limit);
                  });
  metrics.sampled(Kind::Gauge,
                  {"causeway_overload_waiting", "Requests that wait for their model.", {"model"}},
                  [this](SampleSink& sink) {
                    for (const auto& [name, view] : groups_.list()) {
                      sink.add({name}, static_cast<double>(view.waiting));
                    }
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_overload_waits_total",
                   "Requests that did not go to their model at once.",
                   {"result"}},
                  [this](SampleSink& sink) {
                    const Counts& counts = groups_.counts;
                    sink.add({"waited"}, static_cast<double>(counts.waited.load()));
                    sink.add({"full"}, static_cast<double>(counts.full.load()));
                    sink.add({"late"}, static_cast<double>(counts.late.load()));
                    sink.add({"early"}, static_cast<double>(counts.early.load()));
                  });
}

}  // namespace causeway::overload
