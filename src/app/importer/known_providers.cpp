#include "app/importer/known_providers.h"

#include <string>
#include <utility>

#include "platform/text/ascii.h"

namespace causeway::app::importer {
namespace {

constexpr KnownProvider kProviders[] = {
    {"openai", "openai", "", "OPENAI_API_KEY"},
    {"anthropic", "anthropic", "", "ANTHROPIC_API_KEY"},
    {"gemini", "gemini", "", "GEMINI_API_KEY"},
    {"vertex", "vertex", "", ""},
    {"azure", "azure", "", "AZURE_API_KEY", true},
    {"bedrock", "bedrock", "", ""},
    {"huggingface", "huggingface", "", "HF_TOKEN"},
    // All below speak OpenAI's API, at the address that each documents.
    {"groq", "openai", "https://api.groq.com/openai/v1", "GROQ_API_KEY"},
    {"mistral", "openai", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"},
    {"deepseek", "openai", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"},
    {"together", "openai", "https://api.together.xyz/v1", "TOGETHER_API_KEY"},
    {"fireworks", "openai", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"},
    {"openrouter", "openai", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"},
    {"perplexity", "openai", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"},
    {"xai", "openai", "https://api.x.ai/v1", "XAI_API_KEY"},
    {"cerebras", "openai", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"},
    {"sambanova", "openai", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"},
    {"nvidia", "openai", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"},
    {"deepinfra", "openai", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"},
    {"hyperbolic", "openai", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"},
    {"moonshot", "openai", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"},
    {"novita", "openai", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"},
    {"dashscope", "openai", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     "DASHSCOPE_API_KEY"},
    {"cohere", "openai", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"},
    {"ai21", "openai", "https://api.ai21.com/studio/v1", "AI21_API_KEY"},
    {"ollama", "openai", "http://localhost:11434/v1", ""},
    {"vllm", "openai", "", "", true},
    {"sglang", "openai", "", "", true},
    {"tgi", "openai", "", "", true},
    {"llamafile", "openai", "", "", true},
    {"lm-studio", "openai", "", "", true},
    {"xinference", "openai", "", "", true},
    {"openai-compatible", "openai", "", "", true},
};

// What the three gateways call them otherwise, in lower case and with `-`.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"open-ai", "openai"},
    {"text-completion-openai", "openai"},
    {"claude", "anthropic"},
    {"google", "gemini"},
    {"google-ai-studio-gemini", "gemini"},
    {"vertex-ai", "vertex"},
    {"vertex-ai-beta", "vertex"},
    {"gcp-vertex-gemini", "vertex"},
    {"gcp-vertex-anthropic", "vertex"},
    {"azure-openai", "azure"},
    {"azure-text", "azure"},
    {"azure-ai", "azure"},
    {"azure-ai-foundry", "azure"},
    {"azure-ai-inference", "azure"},
    {"aws-bedrock", "bedrock"},
    {"bedrock-converse", "bedrock"},
    {"hugging-face", "huggingface"},
    {"mistral-ai", "mistral"},
    {"together-ai", "together"},
    {"fireworks-ai", "fireworks"},
    {"perplexity-ai", "perplexity"},
    {"x-ai", "xai"},
    {"nvidia-nim", "nvidia"},
    {"novita-ai", "novita"},
    {"cohere-chat", "cohere"},
    {"ollama-chat", "ollama"},
    {"hosted-vllm", "vllm"},
    {"custom-openai", "openai-compatible"},
    {"openai-like", "openai-compatible"},
    {"llamafile-chat", "llamafile"},
};

constexpr std::pair<std::string_view, std::string_view> kModels[] = {
    {"gpt-", "openai"},
    {"gpt4", "openai"},
    {"chatgpt", "openai"},
    {"o1", "openai"},
    {"o3", "openai"},
    {"o4", "openai"},
    {"dall-e", "openai"},
    {"text-embedding-", "openai"},
    {"whisper-", "openai"},
    {"tts-", "openai"},
    {"omni-moderation", "openai"},
    {"ft:gpt", "openai"},
    {"davinci", "openai"},
    {"babbage", "openai"},
    {"claude", "anthropic"},
    {"gemini", "gemini"},
    {"command", "cohere"},
    {"embed-", "cohere"},
    {"mistral-", "mistral"},
    {"codestral", "mistral"},
    {"deepseek-", "deepseek"},
    {"grok-", "xai"},
};

}  // namespace

const KnownProvider* known_provider(std::string_view name) {
  std::string plain = text::to_lower(name);
  for (char& c : plain) c = c == '_' ? '-' : c;
  for (const auto& [alias, known] : kAliases) {
    if (plain == alias) plain = known;
  }
  for (const auto& provider : kProviders) {
    if (provider.name == plain) return &provider;
  }
  return nullptr;
}

const KnownProvider* provider_of_model(std::string_view model) {
  for (const auto& [beginning, name] : kModels) {
    if (model.starts_with(beginning)) return known_provider(name);
  }
  return nullptr;
}

const KnownProvider* provider_in_label(std::string_view label) {
  std::string plain = text::to_lower(label);
  for (char& c : plain) c = c == '_' ? '-' : c;
  const KnownProvider* found = nullptr;
  std::size_t longest = 0;  // "azure-openai" is azure's, although "openai" stands in it
  const auto look = [&](std::string_view name, const KnownProvider* provider) {
    if (name.size() <= longest || name.size() < 4 || plain.find(name) == std::string::npos) return;
    longest = name.size();
    found = provider;
  };
  for (const auto& provider : kProviders) look(provider.name, &provider);
  for (const auto& [alias, name] : kAliases) look(alias, known_provider(name));
  return found;
}

}  // namespace causeway::app::importer
