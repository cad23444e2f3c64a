#include "engine/llama_server.h"

#include <boost/json.hpp>
#include <cstdlib>

namespace causeway::engine {
namespace {

/// The value of the sample `name` in Prometheus' text format, 0 when it is not there.
double sample(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    return std::strtod(std::string(line.substr(name.size() + 1)).c_str(), nullptr);
  }
  return 0;
}

}  // namespace

std::vector<std::string> llama_server_arguments(const ModelEntry& entry, const std::string& file,
                                                const std::string& socket) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const std::uint64_t slots = entry.slots;
  // The whole of an embedding's text is worked on in one batch.
  const auto batch = entry.kind == ModelKind::Embeddings ? entry.context : entry.batch;
  std::vector<std::string> out{
      "--model",
      file,
      "--alias",
      entry.name,
      "--host",
      socket,       // a name that ends in .sock is a Unix socket
      "--offline",  // never fetches anything by itself
      "--no-ui",
      "--no-slots",
      "--metrics",
      "--parallel",
      number(slots),
      "--ctx-size",
      number(slots * entry.context),  // divided among the slots
      "--no-kv-unified",              // one long request cannot starve the others
      "--no-context-shift",           // too long is an error, not forgetting
      "--threads",
      number(entry.threads),
      "--threads-batch",
      number(entry.threads),
      "--batch-size",
      number(batch),
      "--ubatch-size",
      number(batch),
      "--sse-ping-interval",
      "-1",  // the heartbeat is the gateway's, in the client's dialect
      "--log-colors",
      "off",
  };
  const auto add = [&](std::initializer_list<std::string> more) { out.insert(out.end(), more); };
  if (!entry.temperature.empty()) add({"--temp", entry.temperature});
  if (entry.gpu_layers > 0) add({"--gpu-layers", number(entry.gpu_layers)});
  if (entry.kind == ModelKind::Embeddings) {
    add({"--embeddings", "--cache-ram", "0"});
    if (!entry.pooling.empty()) add({"--pooling", entry.pooling});
  } else {
    add({"--jinja", "--cache-ram", number(entry.prompt_cache_mib), "--ctx-checkpoints", "4"});
    // Where the request sets no limit of its own: small models repeat themselves until the context
    // is full, which takes minutes.
    add({"--predict", "1024"});
  }
  return out;
}

LlamaMetrics read_llama_metrics(std::string_view text) {
  LlamaMetrics metrics;
  metrics.tokens_per_second = sample(text, "llamacpp:predicted_tokens_seconds");
  metrics.prompt_tokens_per_second = sample(text, "llamacpp:prompt_tokens_seconds");
  metrics.tokens_total =
      static_cast<std::uint64_t>(sample(text, "llamacpp:tokens_predicted_total"));
  return metrics;
}

bool template_knows_tools(std::string_view properties) {
  boost::system::error_code error;
  const auto value = boost::json::parse({properties.data(), properties.size()}, error);
  if (error) return true;
  const auto* knows = value.find_pointer("/chat_template_caps/supports_tools", error);
  return !knows || !knows->is_bool() || knows->get_bool();
}

}  // namespace causeway::engine
