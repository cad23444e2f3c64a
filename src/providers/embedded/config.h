// `kind: embedded`: models that Causeway runs by itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/engine_model.h"
#include "platform/base/error.h"
#include "platform/config/describe.h"

namespace causeway::embedded {

/// What may be said of one model; what is not said comes from the catalogue, then from the
/// provider.
struct ModelConfig {
  std::string file, url, sha256;
  std::optional<EngineModelKind> kind;
  std::optional<std::string> system_prompt;
  std::optional<std::uint32_t> context, slots, queue, threads, gpu_layers;
  std::optional<bool> preload;
};

struct EmbeddedConfig {
  std::optional<std::uint32_t> slots, queue, threads;
  std::optional<std::chrono::seconds> idle;
  config::Bytes memory_limit{0};
  config::Bytes prompt_cache{256 * config::kMiB};
  bool preload = false;
  config::Map<ModelConfig> models;
};

void describe(config::Fields& f, ModelConfig& c);
void describe(config::Fields& f, EmbeddedConfig& c);

/// The models of the catalogue and of this provider. InvalidRequest names the model at fault.
Result<std::vector<EngineModel>> entries(const EmbeddedConfig& config,
                                         std::vector<EngineModel> catalogue);

}  // namespace causeway::embedded

namespace causeway {

inline config::Names<EngineModelKind> names_of(EngineModelKind) {
  return {{"chat", EngineModelKind::Chat}, {"embeddings", EngineModelKind::Embeddings}};
}

}  // namespace causeway
