// `kind: anthropic`: Anthropic's API, and servers that speak it.
#pragma once

#include <string>

#include "core/upstream_config.h"

namespace causeway::anthropic {

struct AnthropicConfig : UpstreamConfig {
  AnthropicConfig() { base_url = "https://api.anthropic.com"; }

  std::string version = "2023-06-01";
};

void describe(config::Fields& f, AnthropicConfig& c);

}  // namespace causeway::anthropic
