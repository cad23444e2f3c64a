#include "app/upstreams.h"

#include <algorithm>
#include <array>
#include <utility>

#include "providers/anthropic/config.h"
#include "providers/gemini/config.h"
#include "providers/openai/config.h"

namespace causeway::app {

const UpstreamConfig* upstream_of(const config::Variant& provider) {
  if (const auto* gemini = provider.as<gemini::GeminiConfig>()) return gemini;
  if (const auto* openai = provider.as<openai::OpenAiConfig>()) return openai;
  if (const auto* anthropic = provider.as<anthropic::AnthropicConfig>()) return anthropic;
  return nullptr;
}

std::string_view api_of(const config::Variant& provider) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kApis = {{
      {"gemini", "Gemini's API"},
      {"openai", "OpenAI's API"},
      {"anthropic", "Anthropic's API"},
  }};
  const auto found = std::find_if(kApis.begin(), kApis.end(),
                                  [&](const auto& api) { return api.first == provider.kind(); });
  return found == kApis.end() ? std::string_view() : found->second;
}

}  // namespace causeway::app
