// LiteLLM's proxy: `model_list`, `litellm_settings`, `router_settings`, `general_settings` and what
// else stands in its config.yaml.
#pragma once

#include "app/importer/draft.h"

namespace causeway::app::importer {

Imported import_litellm(const Value& root);

/// One entry of `model_list`.
struct LiteLlmDeployment {
  std::string model_name{};
  std::optional<ImportedTarget> target{};  // nothing: remarked why
  bool wildcard = false;                   // its names hold a `*`
  std::optional<double> weight{}, rpm{}, tpm{}, order{};
  Waits waits{};
  std::optional<int> retries{};
};
/// `path` is where `entry` stands; `credentials` is the section `credential_list` or null.
LiteLlmDeployment read_deployment(Draft& draft, const Value& entry, const std::string& path,
                                  const Value* credentials);

/// All sections but `model_list`, routing and fallbacks.
void read_litellm_sections(Draft& draft, const Value& root);

}  // namespace causeway::app::importer
