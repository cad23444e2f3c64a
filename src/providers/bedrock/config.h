// `kind: bedrock`: Amazon Bedrock's Converse API.
#pragma once

#include <string>

#include "core/upstream_config.h"

namespace causeway::bedrock {

struct BedrockConfig : UpstreamConfig {
  std::string region;
  std::string access_key_id;
  Secret secret_access_key, session_token;
};

void describe(config::Fields& f, BedrockConfig& c);

}  // namespace causeway::bedrock
