// Portkey's gateway: one JSON object of strategy, targets and what goes with them.
#pragma once

#include <string>

#include "app/importer/draft.h"

namespace causeway::app::importer {

struct PortkeyNames {
  std::string model{};         // what applications will ask for
  std::string target_model{};  // of targets that name no model; empty: a placeholder
};

Imported import_portkey(const Value& root, const PortkeyNames& names);

/// The provider and model of a target that is no group of others; nothing: remarked why.
/// `model_is_said` is false where the source left the model to the application.
struct PortkeyTarget {
  std::string provider{}, model{};
  bool model_is_said = true;
};
std::optional<PortkeyTarget> read_portkey_target(Draft& draft, const Value& target,
                                                 const std::string& path,
                                                 const PortkeyNames& names);

}  // namespace causeway::app::importer
