#include "features/traffic/routing/feature.h"

#include <utility>

namespace causeway::routing {

RoutingFeature::RoutingFeature(TargetStates& states, SectionKey<PassThrough> pass_through,
                               SectionKey<Priority> priority, TargetStage::WaitOf wait,
                               SlotLayout& slots, int loops)
    : states_(states),
      loops_(static_cast<std::size_t>(loops), LoopStates(states)),
      resolve_(pass_through),
      choose_(loops_),
      target_(loops_, priority, std::move(wait), slots) {}

void RoutingFeature::declare_metrics(metrics::Registry& metrics) {
  using metrics::Kind;
  using metrics::SampleSink;
  metrics.sampled(Kind::Gauge,
                  {"causeway_quota_waiting",
                   "Requests that wait for a quota set for this provider.",
                   {"provider"}},
                  [this](SampleSink& sink) {
                    for (const auto& [provider, sums] : states_.quotas()) {
                      sink.add({provider}, static_cast<double>(sums.waiting));
                    }
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_quota_waits_total",
                   "Requests for which too little was left of a quota.",
                   {"provider", "result"}},
                  [this](SampleSink& sink) {
                    for (const auto& [provider, sums] : states_.quotas()) {
                      sink.add({provider, "waited"}, static_cast<double>(sums.waited));
                      sink.add({provider, "full"}, static_cast<double>(sums.full));
                      sink.add({provider, "late"}, static_cast<double>(sums.late));
                      sink.add({provider, "early"}, static_cast<double>(sums.early));
                    }
                  });
}

}  // namespace causeway::routing
