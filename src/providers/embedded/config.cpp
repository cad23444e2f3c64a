#include "providers/embedded/config.h"

#include <algorithm>

namespace causeway::embedded {

using namespace std::chrono_literals;

void describe(config::Fields& f, ModelConfig& c) {
  f.field("file", c.file, "A GGUF file of your own.");
  f.field("url", c.url, "Where the GGUF file is fetched from; needs sha256.")
      .check(
          [](const std::string& url) {
            const bool known = url.starts_with("https://") || url.starts_with("http://");
            return known ? std::string() : "must begin with https:// or http://";
          },
          "^https?://");
  f.field("sha256", c.sha256, "Of the file, 64 hex digits.")
      .check(
          [](const std::string& hex) {
            const bool right =
                hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
            return right ? std::string() : "must be 64 lower-case hex digits";
          },
          "^[0-9a-f]{64}$");
  f.field("kind", c.kind, "What the model does.");
  f.field("system_prompt", c.system_prompt, "For chat requests that bring none.");
  f.field("context", c.context, "Tokens of one request, prompt and answer.").range(128, 1 << 20);
  f.field("slots", c.slots, "Requests worked on at once.").range(1, 64);
  f.field("queue", c.queue, "Requests that may wait for a slot; above: 429.").range(0, 10'000);
  f.field("threads", c.threads,
          "Processors of one request; more than 1 pays on idle machines only.")
      .range(1, 256);
  f.field("gpu_layers", c.gpu_layers, "Layers on the GPU, with an engine built for one.");
  f.field("preload", c.preload, "Loaded with the program instead of at the first request.");
}

void describe(config::Fields& f, EmbeddedConfig& c) {
  f.field("slots", c.slots, "Requests that a model works on at once.").range(1, 64);
  f.field("queue", c.queue, "Requests that may wait for a slot of a model; above: 429.")
      .range(0, 10'000);
  f.field("threads", c.threads,
          "Processors of one request; more than 1 pays on idle machines only.")
      .range(1, 256);
  f.field("idle", c.idle, "A model is unloaded after so long without a request; 0s = never.")
      .range(0s, 30 * 24h);
  f.field("memory_limit", c.memory_limit,
          "Address space of one model's process, its file included; 0B = no limit.");
  f.field("prompt_cache", c.prompt_cache, "Prompts kept in memory, per model.");
  f.field("preload", c.preload, "Load the models named below with the program.");
  f.field("models", c.models,
          "Models of your own, and changes to those of the catalogue, by name.");
}

namespace {

template <class To, class From>
void set(To& to, const std::optional<From>& from) {
  if (from) to = static_cast<To>(*from);
}

void apply(const EmbeddedConfig& config, EngineModel& entry) {
  set(entry.slots, config.slots);
  set(entry.threads, config.threads);
  set(entry.max_waiting, config.queue);
  set(entry.idle_stop, config.idle);
  entry.memory_limit = config.memory_limit;
  entry.prompt_cache_mib = static_cast<std::uint32_t>(config.prompt_cache / config::kMiB);
}

void apply(const ModelConfig& config, EngineModel& entry) {
  set(entry.kind, config.kind);
  set(entry.system_prompt, config.system_prompt);
  set(entry.context, config.context);
  set(entry.slots, config.slots);
  set(entry.threads, config.threads);
  set(entry.gpu_layers, config.gpu_layers);
  set(entry.max_waiting, config.queue);
  set(entry.preload, config.preload);
  if (config.file.empty() && config.url.empty()) return;
  entry.source = {};
  entry.source.path = config.file;
  entry.source.url = config.url;
  entry.source.sha256 = config.sha256;
  entry.about = config.file.empty() ? config.url : config.file;
}

std::unexpected<Error> wrong(const std::string& name, const std::string& what) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, "the embedded model \"" + name + "\" " + what);
}

}  // namespace

Result<std::vector<EngineModel>> entries(const EmbeddedConfig& config,
                                         std::vector<EngineModel> catalogue) {
  for (auto& entry : catalogue) apply(config, entry);
  for (const auto& [name, at, model] : config.models) {
    if (!model.file.empty() && !model.url.empty()) return wrong(name, "has both file and url");
    if (!model.url.empty() && model.sha256.empty()) return wrong(name, "has a url and no sha256");
    auto entry = std::find_if(catalogue.begin(), catalogue.end(),
                              [&](const auto& known) { return known.name == name; });
    if (entry == catalogue.end()) {
      if (model.file.empty() && model.url.empty()) {
        return wrong(name, "is not in the catalogue and has neither file nor url");
      }
      EngineModel own;
      own.name = name;
      apply(config, own);
      entry = catalogue.insert(catalogue.end(), std::move(own));
    }
    entry->preload = config.preload;
    apply(model, *entry);
  }
  return catalogue;
}

}  // namespace causeway::embedded
