#include "app/upstreams.h"

#include <algorithm>
#include <array>
#include <utility>

#include "providers/anthropic/config.h"
#include "providers/azure/config.h"
#include "providers/bedrock/config.h"
#include "providers/gemini/config.h"
#include "providers/huggingface/config.h"
#include "providers/openai/config.h"
#include "providers/vertex/config.h"

namespace causeway::app {

const UpstreamConfig* upstream_of(const config::Variant& provider) {
  if (const auto* gemini = provider.as<gemini::GeminiConfig>()) return gemini;
  if (const auto* openai = provider.as<openai::OpenAiConfig>()) return openai;
  if (const auto* anthropic = provider.as<anthropic::AnthropicConfig>()) return anthropic;
  if (const auto* azure = provider.as<azure::AzureConfig>()) return azure;
  if (const auto* bedrock = provider.as<bedrock::BedrockConfig>()) return bedrock;
  if (const auto* hugging = provider.as<huggingface::HuggingFaceConfig>()) return hugging;
  if (const auto* vertex = provider.as<vertex::VertexConfig>()) return vertex;
  return nullptr;
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
