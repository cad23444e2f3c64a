// What applications may ask for, as operators see it: the models of the configuration, the models
// and aliases of the engine, and what providers are known to have. The names are those of GET
// /v1/models for a key that may use all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "core/admin.h"
#include "core/engine_model.h"
#include "core/model_listing.h"

namespace causeway::app {

struct ListedModel {
  std::string name;
  std::string provider;              // empty: a model of the configuration
  std::string strategy;              // of a model of the configuration
  std::vector<std::string> targets;  // PROVIDER/MODEL: what it stands for
};

/// By name. `engine`: the models of the embedded provider. `listings`: what the providers said that
/// they have; nullptr where nobody has asked them. One that has not said anything is one entry,
/// "openai/*": its models may be asked for all the same.
std::vector<ListedModel> models_of(const AppConfig& config, const std::vector<EngineModel>& engine,
                                   ModelListings* listings);

/// The reply of GET /api/models. `source`: "gateway" or "configuration".
AdminReply models_reply(const std::vector<ListedModel>& models, std::string_view source,
                        std::string_view listen, std::string_view config_path);

}  // namespace causeway::app
