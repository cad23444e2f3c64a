// `kind: gemini`: Google's Gemini API.
#pragma once

#include "core/upstream_config.h"

namespace causeway::gemini {

struct GeminiConfig : UpstreamConfig {
  GeminiConfig() { base_url = "https://generativelanguage.googleapis.com/v1beta"; }
};

void describe(config::Fields& f, GeminiConfig& c);

}  // namespace causeway::gemini
