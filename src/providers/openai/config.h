// `kind: openai`: any server that speaks OpenAI's API.
#pragma once

#include <optional>
#include <string>

#include "core/upstream_config.h"

namespace causeway::openai {

struct OpenAiConfig : UpstreamConfig {
  OpenAiConfig() { base_url = "https://api.openai.com/v1"; }

  std::string organization, project;
  bool stream_usage = true;
  std::optional<bool> responses;
};

void describe(config::Fields& f, OpenAiConfig& c);

}  // namespace causeway::openai
