// `kind: huggingface`: Hugging Face's router, and dedicated Inference Endpoints.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/upstream_config.h"

namespace causeway::huggingface {

struct HuggingFaceConfig : UpstreamConfig {
  HuggingFaceConfig() { base_url = "https://router.huggingface.co/v1"; }

  std::string bill_to;
  std::chrono::seconds hold{0};
  bool stream_usage = true;
};

void describe(config::Fields& f, HuggingFaceConfig& c);

}  // namespace causeway::huggingface
