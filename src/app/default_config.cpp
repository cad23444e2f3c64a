// The configuration where there is no file: what the machine itself offers.
#include <array>
#include <typeindex>

#include "app/snapshot_builder.h"
#include "providers/anthropic/config.h"
#include "providers/azure/config.h"
#include "providers/bedrock/config.h"
#include "providers/embedded/config.h"
#include "providers/gemini/config.h"
#include "providers/huggingface/config.h"
#include "providers/openai/config.h"
#include "providers/vertex/config.h"

namespace causeway::app {
namespace {

struct CloudProvider {
  const char* name;
  const char* key_variable;
  const char* base_url;
  const char* url_variable;  // that replaces base_url; "" = none
};

// Services that speak OpenAI's API under these published addresses.
constexpr std::array kCloud = {
    CloudProvider{"openai", "OPENAI_API_KEY", "https://api.openai.com/v1", "OPENAI_BASE_URL"},
    CloudProvider{"mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", ""},
    CloudProvider{"groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", ""},
    CloudProvider{"deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1", ""},
    CloudProvider{"openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", ""},
    CloudProvider{"together", "TOGETHER_API_KEY", "https://api.together.xyz/v1", ""},
    CloudProvider{"xai", "XAI_API_KEY", "https://api.x.ai/v1", ""},
};

std::string variable(const Environment& environment, const char* name) {
  const char* value = *name ? environment(name) : nullptr;
  return value ? value : "";
}

template <class T>
config::Variant variant(const char* kind, T value) {
  return {kind, {}, std::make_shared<const T>(std::move(value)), typeid(T)};
}

void add_anthropic(AppConfig& config, const Environment& environment) {
  anthropic::AnthropicConfig anthropic;
  anthropic.api_key = Secret(variable(environment, "ANTHROPIC_API_KEY"));
  if (anthropic.api_key.empty()) return;
  const std::string url = variable(environment, "ANTHROPIC_BASE_URL");
  if (!url.empty()) anthropic.base_url = url;
  config.providers.add("anthropic") = variant("anthropic", std::move(anthropic));
}

void add_gemini(AppConfig& config, const Environment& environment) {
  std::string key = variable(environment, "GEMINI_API_KEY");
  if (key.empty()) key = variable(environment, "GOOGLE_API_KEY");
  if (key.empty()) return;
  gemini::GeminiConfig gemini;
  gemini.api_key = Secret(key);
  config.providers.add("gemini") = variant("gemini", std::move(gemini));
}

void add_azure(AppConfig& config, const Environment& environment) {
  azure::AzureConfig azure;
  azure.base_url = variable(environment, "AZURE_OPENAI_ENDPOINT");
  azure.api_key = Secret(variable(environment, "AZURE_OPENAI_API_KEY"));
  if (azure.api_key.empty()) azure.token = Secret(variable(environment, "AZURE_OPENAI_AD_TOKEN"));
  if (azure.base_url.empty() || (azure.api_key.empty() && azure.token.empty())) return;
  const std::string version = variable(environment, "OPENAI_API_VERSION");
  if (!version.empty()) azure.api_version = version;
  config.providers.add("azure") = variant("azure", std::move(azure));
}

// The provider itself reads AWS's variables. The credentials alone may be there for other programs:
// with a region beside them they are taken as meant for this one.
void add_bedrock(AppConfig& config, const Environment& environment) {
  const auto has = [&](const char* name) { return !variable(environment, name).empty(); };
  const bool credentials =
      has("AWS_BEARER_TOKEN_BEDROCK") || (has("AWS_ACCESS_KEY_ID") && has("AWS_SECRET_ACCESS_KEY"));
  if (!credentials || !(has("AWS_REGION") || has("AWS_DEFAULT_REGION"))) return;
  config.providers.add("bedrock") = variant("bedrock", bedrock::BedrockConfig{});
}

// The key file alone may be there for other programs of Google's: a location, or the word that
// Google's client goes by, means this one.
void add_vertex(AppConfig& config, const Environment& environment) {
  const auto has = [&](const char* name) { return !variable(environment, name).empty(); };
  const std::string chosen = variable(environment, "GOOGLE_GENAI_USE_VERTEXAI");
  const bool meant =
      has("GOOGLE_APPLICATION_CREDENTIALS") && has("GOOGLE_CLOUD_LOCATION") && chosen.empty();
  if (!meant && chosen != "true" && chosen != "True" && chosen != "1") return;
  config.providers.add("vertex") = variant("vertex", vertex::VertexConfig{});
}

void add_hugging_face(AppConfig& config, const Environment& environment) {
  huggingface::HuggingFaceConfig hugging;
  hugging.api_key = Secret(variable(environment, "HF_TOKEN"));
  if (hugging.api_key.empty()) return;
  config.providers.add("huggingface") = variant("huggingface", std::move(hugging));
}

}  // namespace

AppConfig default_config(const Environment& environment) {
  AppConfig config;
  config.providers.add("local") = variant("embedded", embedded::EmbeddedConfig{});
  for (const auto& cloud : kCloud) {
    const std::string key = variable(environment, cloud.key_variable);
    if (key.empty()) continue;
    openai::OpenAiConfig openai;
    openai.api_key = Secret(key);
    const std::string url = variable(environment, cloud.url_variable);
    openai.base_url = url.empty() ? cloud.base_url : url;
    if (std::string_view(cloud.name) == "openai") {
      openai.organization = variable(environment, "OPENAI_ORG_ID");
      openai.project = variable(environment, "OPENAI_PROJECT_ID");
    }
    config.providers.add(cloud.name) = variant("openai", std::move(openai));
  }
  add_anthropic(config, environment);
  add_gemini(config, environment);
  add_azure(config, environment);
  add_bedrock(config, environment);
  add_vertex(config, environment);
  add_hugging_face(config, environment);
  return config;
}

void add_local_server(AppConfig& config, const std::string& name, const std::string& base_url) {
  openai::OpenAiConfig openai;
  openai.base_url = base_url;
  openai.zone = Zone::Internal;
  config.providers.add(name) = variant("openai", std::move(openai));
}

}  // namespace causeway::app
