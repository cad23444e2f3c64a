// `kind: vertex`: Google's Vertex AI, for Gemini and Claude.
#pragma once

#include <string>

#include "core/upstream_config.h"

namespace causeway::vertex {

struct VertexConfig : UpstreamConfig {
  std::string project, location;
  std::string credentials_file;
  bool metadata = false;
};

void describe(config::Fields& f, VertexConfig& c);

}  // namespace causeway::vertex
