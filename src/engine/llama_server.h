// What is particular to llama.cpp's llama-server: its command line, its metrics and properties.
// Nothing else in the engine knows a flag or a path of it. Written for the version pinned in
// third_party/manifest (llama-cpp-python 0.3.36; options in its common/arg.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace causeway::engine {

/// Arguments behind argv[0]. The child listens on the Unix socket only, never reaches for the
/// network, and is bounded in context, slots and prompt cache.
std::vector<std::string> llama_server_arguments(const ModelEntry& entry, const std::string& file,
                                                const std::string& socket);

inline constexpr std::string_view kHealthPath = "/health";  // 200 when ready, 503 while loading
inline constexpr std::string_view kMetricsPath = "/metrics";
inline constexpr std::string_view kPropertiesPath = "/props";

struct LlamaMetrics {
  double tokens_per_second = 0;  // generated, average over requests
  double prompt_tokens_per_second = 0;
  std::uint64_t tokens_total = 0;
};

/// From the text that /metrics answers; what is not in it stays 0.
LlamaMetrics read_llama_metrics(std::string_view text);

/// From what /props answers: whether the chat template can say which tools there are. Where it is
/// not told, yes: then llama-server is left to do it in its own way.
bool template_knows_tools(std::string_view properties);

}  // namespace causeway::engine
