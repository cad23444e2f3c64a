// `GET /api/providers`: who answers, for which models, and how it went lately.
#include <algorithm>
#include <cmath>

#include "app/program.h"
#include "app/upstreams.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/metrics/overview.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

using Recent = std::map<std::string, metrics::Tries>;

// By what was tried last: the quarter of an hour, or where nothing was, the hour.
std::string_view state_of(const metrics::Tries& quarter, const metrics::Tries& hour) {
  const metrics::Tries& last = quarter.attempts > 0 ? quarter : hour;
  if (last.attempts == 0) return "unused";
  return 2 * last.failures >= last.attempts ? "failing" : "ok";
}

void write_models(text::JsonWriter& json, const AppConfig& config, const std::string& provider) {
  json.key("models").begin_array();
  for (const auto& model : config.models) {
    for (const auto& target : all_targets(model.value)) {
      const std::string_view name = *target;
      const auto slash = name.find('/');
      if (slash == name.npos || name.substr(0, slash) != provider) continue;
      json.begin_object().field("model", model.name);
      json.field("upstream", name.substr(slash + 1)).end_object();
    }
  }
  json.end_array();
}

void write_tries(text::JsonWriter& json, const metrics::Tries& tries) {
  json.begin_object().field("attempts", std::llround(tries.attempts));
  json.field("errors", std::llround(tries.errors)).key("errors_by_class").begin_object();
  for (const auto& [name, count] : tries.errors_by_class) json.field(name, std::llround(count));
  json.end_object().end_object();
}

}  // namespace

Task<AdminReply> Program::providers() {
  const auto& history = metrics_feature_->history();
  Recent hour = metrics::tries_of(history, std::chrono::hours(1));
  Recent quarter = metrics::tries_of(history, std::chrono::minutes(15));
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("providers").begin_array();
  for (const auto& provider : config_.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    const auto known = latest_snapshot_->providers.find(provider.name);
    const bool internal =
        known != latest_snapshot_->providers.end() && known->second->zone() == Zone::Internal;
    json.begin_object().field("name", provider.name).field("kind", provider.value.kind());
    json.field("base_url", upstream ? upstream->base_url : "");
    json.field("zone", internal ? "internal" : "external");
    write_models(json, config_, provider.name);
    write_tries(json.key("last_hour"), hour[provider.name]);
    json.field("state", state_of(quarter[provider.name], hour[provider.name])).end_object();
  }
  json.end_array().end_object();
  co_return reply;
}

}  // namespace causeway::app
