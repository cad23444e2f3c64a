#include "app/upstreams.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "providers/anthropic/config.h"
#include "providers/azure/config.h"
#include "providers/bedrock/config.h"
#include "providers/gemini/config.h"
#include "providers/huggingface/config.h"
#include "providers/openai/config.h"
#include "providers/vertex/config.h"

namespace causeway::app {

namespace {

template <class... Configs>
struct Kinds {
  static const UpstreamConfig* upstream(const config::Variant& provider) {
    const UpstreamConfig* found = nullptr;
    ((found = found ? found : provider.as<Configs>()), ...);
    return found;
  }
  static config::Variant changed(const config::Variant& provider,
                                 const std::function<void(UpstreamConfig&)>& change) {
    config::Variant made = provider;
    (change_one<Configs>(made, change), ...);
    return made;
  }

 private:
  template <class Config>
  static void change_one(config::Variant& provider,
                         const std::function<void(UpstreamConfig&)>& change) {
    const auto* config = provider.as<Config>();
    if (!config) return;
    auto copy = std::make_shared<Config>(*config);
    change(*copy);
    provider = config::Variant(provider.kind(), provider.at(), std::move(copy), typeid(Config));
  }
};

using Http = Kinds<gemini::GeminiConfig, openai::OpenAiConfig, anthropic::AnthropicConfig,
                   azure::AzureConfig, bedrock::BedrockConfig, huggingface::HuggingFaceConfig,
                   vertex::VertexConfig>;

}  // namespace

const UpstreamConfig* upstream_of(const config::Variant& provider) {
  return Http::upstream(provider);
}

bool any_quota(const config::Map<config::Variant>& providers) {
  return std::ranges::any_of(providers, [](const auto& provider) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    return upstream &&
           (upstream->quota.requests_per_minute > 0 || upstream->quota.tokens_per_minute > 0);
  });
}

config::Variant changed_upstream(const config::Variant& provider,
                                 const std::function<void(UpstreamConfig&)>& change) {
  return Http::changed(provider, change);
}

std::string_view api_of(const config::Variant& provider) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kApis = {{
      {"gemini", "Gemini's API"},
      {"openai", "OpenAI's API"},
      {"anthropic", "Anthropic's API"},
      {"azure", "Azure OpenAI"},
      {"bedrock", "Amazon Bedrock"},
      {"huggingface", "Hugging Face"},
      {"vertex", "Vertex AI"},
  }};
  const auto found = std::find_if(kApis.begin(), kApis.end(),
                                  [&](const auto& api) { return api.first == provider.kind(); });
  return found == kApis.end() ? std::string_view() : found->second;
}

}  // namespace causeway::app
