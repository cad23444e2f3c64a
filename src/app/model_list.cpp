#include "app/model_list.h"

#include <algorithm>
#include <map>

#include "app/upstreams.h"
#include "platform/text/glob.h"
#include "platform/text/json_writer.h"
#include "providers/embedded/config.h"

namespace causeway::app {
namespace {

/// By name: a model of the configuration hides one of a provider that is called the same.
using List = std::map<std::string, ListedModel>;

void add(List& list, ListedModel model) {
  const std::string name = model.name;
  list.try_emplace(name, std::move(model));
}

void add_engine(List& list, const std::string& provider, const std::vector<EngineModel>& engine) {
  for (const auto& entry : engine) {
    const std::string target = provider + "/" + entry.name;
    add(list, {target, provider, {}, {target}});
    for (const auto& alias : entry.aliases) {
      add(list, {provider + "/" + alias, provider, {}, {target}});
    }
  }
}

void add_listed(List& list, const std::string& provider, const UpstreamConfig& config, bool bare,
                ModelListings* listings) {
  const auto names = listings ? listings->of(provider)->names() : std::vector<std::string>();
  if (names.empty()) {
    for (const auto& pattern : config.expose) {
      add(list, {provider + "/" + pattern, provider, {}, {provider + "/" + pattern}});
    }
    return;
  }
  for (const auto& model : names) {
    const bool exposed = std::ranges::any_of(config.expose, [&](const std::string& pattern) {
      return text::glob_match(pattern, model);
    });
    if (!exposed) continue;
    const std::string target = provider + "/" + model;
    add(list, {bare ? model : target, provider, {}, {target}});
  }
}

}  // namespace

std::vector<ListedModel> models_of(const AppConfig& config, const std::vector<EngineModel>& engine,
                                   ModelListings* listings) {
  List list;
  for (const auto& model : config.models) {
    ListedModel listed{model.name, {}, {}, {}};
    listed.strategy = to_string(model.value.strategy);
    for (const auto& target : all_targets(model.value)) listed.targets.push_back(*target);
    add(list, std::move(listed));
  }
  for (const auto& provider : config.providers) {
    if (provider.value.kind() == "embedded") {
      add_engine(list, provider.name, engine);
    } else if (const UpstreamConfig* upstream = upstream_of(provider.value)) {
      add_listed(list, provider.name, *upstream, config.models.empty(), listings);
    }
  }
  std::vector<ListedModel> all;
  for (auto& [name, model] : list) all.push_back(std::move(model));
  return all;
}

AdminReply models_reply(const std::vector<ListedModel>& models, std::string_view source,
                        std::string_view listen, std::string_view config_path) {
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("source", source);
  json.field("listen", listen).field("config", config_path);
  json.key("models").begin_array();
  for (const auto& model : models) {
    json.begin_object().field("name", model.name);
    json.key("provider");
    model.provider.empty() ? json.null() : json.string(model.provider);
    json.key("strategy");
    model.strategy.empty() ? json.null() : json.string(model.strategy);
    json.key("targets").begin_array();
    for (const auto& target : model.targets) json.string(target);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return reply;
}

}  // namespace causeway::app
