#include "features/traffic/overload/feature.h"

#include <algorithm>

#include "platform/text/json_writer.h"

namespace causeway::overload {

void OverloadFeature::declare_metrics(metrics::Registry& metrics) {
  using metrics::Kind;
  using metrics::SampleSink;
  metrics.sampled(Kind::Gauge,
                  {"causeway_overload_limit",
                   "Requests of a target that may be under way at once, as known or learnt.",
                   {"target"}},
                  [this](SampleSink& sink) {
                    for (const auto& [name, group] : groups_.list()) {
                      const auto view = group->view();
                      if (!view.unlimited) sink.add({name}, view.limit);
                    }
                  });
  metrics.sampled(Kind::Gauge,
                  {"causeway_overload_waiting", "Requests that wait for their target.", {"target"}},
                  [this](SampleSink& sink) {
                    for (const auto& [name, group] : groups_.list()) {
                      sink.add({name}, static_cast<double>(group->view().waiting));
                    }
                  });
  metrics.sampled(Kind::Counter,
                  {"causeway_overload_waits_total",
                   "Requests that did not go to their target at once.",
                   {"result"}},
                  [this](SampleSink& sink) {
                    const Counts& counts = groups_.counts;
                    sink.add({"waited"}, static_cast<double>(counts.waited.load()));
                    sink.add({"full"}, static_cast<double>(counts.full.load()));
                    sink.add({"late"}, static_cast<double>(counts.late.load()));
                    sink.add({"early"}, static_cast<double>(counts.early.load()));
                  });
}

std::vector<AdminRoute> OverloadFeature::routes() {
  const auto show = [this](AdminRequest) -> Task<AdminReply> {
    constexpr std::size_t kMostTenants = 100;
    auto groups = groups_.list();
    std::ranges::sort(groups, {}, &decltype(groups)::value_type::first);
    AdminReply reply;
    text::JsonWriter json(reply.body);
    json.begin_object().key("targets").begin_array();
    for (const auto& [name, group] : groups) {
      const auto view = group->view();
      json.begin_object().field("target", name).key("limit");
      if (view.unlimited) {
        json.null();
      } else {
        json.number(static_cast<std::int64_t>(view.limit));
      }
      json.field("under_way", view.in_flight).field("waiting", view.waiting);
      json.field("expected_ms", view.expected.count()).key("tenants").begin_array();
      for (const auto& tenant : group->tenants(kMostTenants)) {
        json.begin_object().field("tenant", tenant.name).field("under_way", tenant.in_flight);
        json.field("waiting", tenant.waiting).end_object();
      }
      json.end_array().end_object();
    }
    json.end_array().end_object();
    co_return reply;
  };
  return {{http::Method::Get, "/api/overload",
           "Which targets have how much to do, and which tenants wait for them.", false, show}};
}

}  // namespace causeway::overload
