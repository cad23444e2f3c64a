// `GET /api/providers`: who answers, for which models, and how it went lately.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/program.h"
#include "app/upstreams.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/metrics/overview.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

using routing::TargetView;
using Recent = std::map<std::string, metrics::Tries>;

bool is_of(std::string_view target, std::string_view provider) {
  return target.size() > provider.size() && target.starts_with(provider) &&
         target[provider.size()] == '/';
}

// By what was tried last: the quarter of an hour, or where nothing was, the hour; and where the
// history knows of nothing yet, what was asked since.
std::string_view state_of_tries(const metrics::Tries& quarter, const metrics::Tries& hour,
                                const AskedCounts& lately) {
  const metrics::Tries& last = quarter.attempts > 0 ? quarter : hour;
  if (last.attempts > 0) return 2 * last.failures >= last.attempts ? "failing" : "ok";
  if (lately.calls == 0) return "unused";
  return 2 * lately.failures >= lately.calls ? "failing" : "ok";
}

// By how its targets are now. Where none has ever been left alone, few calls may have failed
// without a breaker's opening: then the tries tell.
std::string_view state_of(std::string_view provider, const std::vector<TargetView>& targets,
                          const metrics::Tries& quarter, const metrics::Tries& hour,
                          const AskedCounts& lately) {
  using routing::Breaker;
  std::size_t all = 0, well = 0, open = 0;
  bool ever_opened = false;
  for (const TargetView& target : targets) {
    if (!is_of(target.name, provider)) continue;
    ++all;
    well += target.state == Breaker::State::Closed;
    open += target.state == Breaker::State::Open;
    ever_opened |= target.opened > 0;
  }
  if (all > 0 && open == all) return "failing";
  if (well < all) return "degraded";
  return ever_opened ? "ok" : state_of_tries(quarter, hour, lately);
}

std::map<std::string, AskedCounts, std::less<>> asked_by_provider(
    const std::vector<TargetView>& targets) {
  std::map<std::string, AskedCounts, std::less<>> all;
  for (const TargetView& target : targets) {
    AskedCounts& one = all[target.name.substr(0, target.name.find('/'))];
    one.calls += target.calls;
    one.failures += target.failures;
  }
  return all;
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

std::int64_t rounded_millis(std::chrono::nanoseconds time) {
  return std::chrono::round<std::chrono::milliseconds>(time).count();
}

void write_target(text::JsonWriter& json, const TargetView& target) {
  json.begin_object().field("target", target.name);
  json.field("state", to_string(target)).field("why", target.why);
  json.field("rest_ms", target.rest.count()).field("in_flight", target.in_flight);
  json.key("usual_ms");
  target.usual ? json.number(rounded_millis(*target.usual)) : json.null();
  json.key("quota");
  if (target.quota.limited) {
    json.begin_object().field("wait_ms", target.quota.wait.count());
    json.field("waiting", target.quota.waiting).end_object();
  } else {
    json.null();
  }
  json.field("calls", target.calls).field("failures", target.failures);
  json.field("opened", target.opened).end_object();
}

// What has been asked of each since the start; a member that nobody has asked yet has no targets.
void write_members(text::JsonWriter& json, const std::string& provider,
                   const ProviderMembers* members, const Probes& probes,
                   const std::vector<TargetView>& targets) {
  json.key("members").begin_array();
  for (const Member& member : members ? std::span(members->all) : std::span<const Member>()) {
    json.begin_object().field("name", member.name).key("well");
    const auto well = probes.well(provider, member.name);
    well ? json.boolean(*well) : json.null();
    json.key("targets").begin_array();
    for (const auto& target : targets) {
      if (target.member == member.name && is_of(target.name, provider)) write_target(json, target);
    }
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

// Of each target how many of its members may be asked: the labels are those of the configuration.
void Program::sample_targets(metrics::SampleSink& sink) const {
  std::map<std::pair<std::string, std::string>, bool> resting;
  for (const auto& view : target_states_.list()) {
    resting[{view.name, view.member}] = view.state == routing::Breaker::State::Open;
  }
  std::map<std::string, std::pair<int, int>> targets;  // those that rest, all
  const auto count = [&](const std::vector<Target>& listed) {
    for (const Target& target : listed) {
      auto& [rest, all] = targets[target.name];
      const auto known = resting.find({target.name, target.member});
      rest += known != resting.end() && known->second;
      ++all;
    }
  };
  for (const auto& [name, model] : latest_snapshot_->models) {
    count(model.targets);
    for (const auto& rule : model.rules) count(rule.targets);
  }
  for (const auto& [name, counts] : targets) {
    const auto& [rest, all] = counts;
    const std::string_view provider = std::string_view(name).substr(0, name.find('/'));
    sink.add(std::array{provider, std::string_view(name)},
             static_cast<double>(all - rest) / static_cast<double>(all));
  }
}

// The history has a step of ten seconds: what was asked in the last 15 to 30 is in it, or not yet.
void Program::note_asked() {
  asked_before_ = std::exchange(asked_, asked_by_provider(target_states_.list()));
}

// States of targets that are gone are forgotten, and their calls with them.
AskedCounts Program::asked_lately(const std::string& provider, const Asked& now) const {
  const auto of = [&](const Asked& asked) {
    const auto found = asked.find(provider);
    return found == asked.end() ? AskedCounts() : found->second;
  };
  AskedCounts lately = of(now);
  const AskedCounts before = of(asked_before_);
  lately.calls -= std::min(lately.calls, before.calls);
  lately.failures -= std::min(lately.failures, before.failures);
  return lately;
}

Task<AdminReply> Program::providers() {
  const auto& history = metrics_feature_->history();
  Recent hour = metrics::tries_of(history, std::chrono::hours(1));
  Recent quarter = metrics::tries_of(history, std::chrono::minutes(15));
  const auto targets = target_states_.list();
  AdminReply reply;
  text::JsonWriter json(reply.body);
  const auto asked = asked_by_provider(targets);
  json.begin_object().key("providers").begin_array();
  for (const auto& provider : config_.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    const auto known = latest_snapshot_->providers.find(provider.name);
    const ProviderMembers* members =
        known != latest_snapshot_->providers.end() ? &known->second : nullptr;
    const bool internal = members && members->any().zone() == Zone::Internal;
    json.begin_object().field("name", provider.name).field("kind", provider.value.kind());
    json.field("base_url", upstream ? upstream->base_url : "");
    json.field("zone", internal ? "internal" : "external");
    write_models(json, config_, provider.name);
    write_members(json, provider.name, members, *probes_, targets);
    write_tries(json.key("last_hour"), hour[provider.name]);
    json.field("state", state_of(provider.name, targets, quarter[provider.name],
                                 hour[provider.name], asked_lately(provider.name, asked)));
    json.end_object();
  }
  json.end_array().end_object();
  co_return reply;
}

}  // namespace causeway::app
