// `kind: azure`: Azure OpenAI, in its dated and its v1 form.
#pragma once

#include <optional>
#include <string>

#include "core/upstream_config.h"

namespace causeway::azure {

/// OAuth 2.0 client credentials of an application that is registered with Entra ID.
struct EntraConfig {
  std::string tenant, client_id;
  Secret client_secret;
  std::string authority = "https://login.microsoftonline.com";
  std::string scope = "https://cognitiveservices.azure.com/.default";
};

struct AzureConfig : UpstreamConfig {
  std::string api_version = "v1";
  Secret token;
  std::optional<EntraConfig> entra;
  bool stream_usage = true;
  bool responses = false;
};

void describe(config::Fields& f, EntraConfig& c);
void describe(config::Fields& f, AzureConfig& c);

}  // namespace causeway::azure
