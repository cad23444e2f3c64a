#include "app/members.h"

#include <algorithm>

#include "app/replica_sources.h"
#include "app/upstreams.h"
#include "platform/net/address.h"
#include "providers/anthropic/provider.h"
#include "providers/azure/provider.h"
#include "providers/bedrock/provider.h"
#include "providers/embedded/config.h"
#include "providers/embedded/provider.h"
#include "providers/gemini/config.h"
#include "providers/gemini/provider.h"
#include "providers/huggingface/provider.h"
#include "providers/openai/provider.h"
#include "providers/vertex/provider.h"

namespace causeway::app {
namespace {

std::string with_port(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

void add_replica(std::vector<MemberSettings>& replicas, MemberSettings one) {
  const auto same = [&](const auto& known) {
    return known.base_url == one.base_url && known.address == one.address;
  };
  if (replicas.size() < kMostMembers && std::ranges::none_of(replicas, same)) {
    replicas.push_back(std::move(one));
  }
}

// Two at one port are told apart by their paths.
void add_url(std::vector<MemberSettings>& replicas, std::string url) {
  std::string path;
  const auto endpoint = http::parse_url(url, path);
  if (!endpoint) return;  // as for a base_url that the kind makes by itself
  std::string name = with_port(endpoint->host, endpoint->port);
  const bool taken = std::ranges::any_of(replicas, [&](const auto& r) { return r.name == name; });
  add_replica(replicas, {taken ? name + path : name, std::move(url), {}, {}});
}

// Scheme and path are base_url's; the name stays the one that TLS and the Host field have.
void add_address(std::vector<MemberSettings>& replicas, const UpstreamConfig& config,
                 const std::string& address) {
  std::string path;
  auto base = http::parse_url(config.base_url, path);
  if (!base) return;
  base->host = config.replicas->dns;
  if (config.replicas->port != 0) base->port = config.replicas->port;
  std::string url = (base->tls ? "https://" : "http://") + base->authority() + path;
  add_replica(replicas, {with_port(address, base->port), std::move(url), address, {}});
}

std::vector<MemberSettings> replicas_of(const UpstreamConfig& config,
                                        const std::vector<std::string>& found) {
  std::vector<MemberSettings> replicas;
  if (!config.replicas) return {{{}, config.base_url, {}, {}}};
  const bool by_name = !config.replicas->dns.empty();
  for (const auto& one : config.replicas->urls.empty() ? found : config.replicas->urls) {
    if (by_name) {
      add_address(replicas, config, one);
    } else if (auto url = replica_url(one, config.base_url)) {
      add_url(replicas, std::move(*url));
    }
  }
  if (replicas.empty()) add_url(replicas, config.base_url);
  if (replicas.empty()) replicas.push_back({{}, config.base_url, {}, {}});
  return replicas;
}

Result<std::unique_ptr<Provider>> make_provider(const std::string& name,
                                                const config::Variant& value,
                                                const SnapshotParts& parts) {
  const Dialects& dialects = parts.dialects;
  if (const auto* openai = value.as<openai::OpenAiConfig>()) {
    return openai::make_provider(name, *openai, dialects.openai, dialects.responses,
                                 parts.listings.of(name), parts.vocabularies, parts.environment);
  }
  if (const auto* gemini = value.as<gemini::GeminiConfig>()) {
    return gemini::make_provider(name, *gemini, dialects.gemini, parts.listings.of(name),
                                 parts.environment);
  }
  if (const auto* anthropic = value.as<anthropic::AnthropicConfig>()) {
    return anthropic::make_provider(name, *anthropic, dialects.anthropic, parts.listings.of(name),
                                    parts.environment);
  }
  if (const auto* azure = value.as<azure::AzureConfig>()) {
    return azure::make_provider(name, *azure, dialects.openai, dialects.responses, parts.tokens,
                                parts.environment);
  }
  if (const auto* bedrock = value.as<bedrock::BedrockConfig>()) {
    return bedrock::make_provider(name, *bedrock, dialects.converse, parts.environment);
  }
  if (const auto* hugging = value.as<huggingface::HuggingFaceConfig>()) {
    return huggingface::make_provider(name, *hugging, dialects.openai, parts.listings.of(name),
                                      parts.environment);
  }
  if (const auto* vertex = value.as<vertex::VertexConfig>()) {
    return vertex::make_provider(name, *vertex, {dialects.vertex_gemini, dialects.vertex_anthropic},
                                 parts.tokens, parts.environment);
  }
  if (const auto* embedded = value.as<embedded::EmbeddedConfig>()) {
    return embedded::make_provider(name, *embedded, dialects.openai, parts.engine);
  }
  return nullptr;
}

}  // namespace

std::vector<MemberSettings> settings_of_members(const UpstreamConfig& config,
                                                const std::vector<std::string>& found) {
  std::vector<Secret> keys = config.api_keys;
  if (!config.api_key.empty() || keys.empty()) keys.insert(keys.begin(), config.api_key);
  std::vector<MemberSettings> members;
  for (const auto& replica : replicas_of(config, found)) {
    for (std::size_t i = 0; i < keys.size() && members.size() < kMostMembers; ++i) {
      MemberSettings member = replica;
      member.api_key = keys[i];
      if (keys.size() > 1) {
        member.name += (member.name.empty() ? "key-" : " key-") + std::to_string(i + 1);
      }
      members.push_back(std::move(member));
    }
  }
  return members;
}

Result<ProviderMembers> make_members(const std::string& name, const config::Variant& value,
                                     const SnapshotParts& parts) {
  const UpstreamConfig* upstream = upstream_of(value);
  ProviderMembers members;
  if (!upstream) {
    auto made = make_provider(name, value, parts);
    if (!made) return pass(std::move(made));
    if (*made) members = single_member(std::move(*made));
    return members;
  }
  std::vector<std::string> found;
  if (upstream->replicas && parts.replicas) found = parts.replicas->found(*upstream->replicas);
  members.balance = upstream->balance == Balance::Prefix ? Strategy::Prefix : Strategy::LeastBusy;
  members.quota = {upstream->quota.requests_per_minute, upstream->quota.tokens_per_minute};
  for (auto& one : settings_of_members(*upstream, found)) {
    const auto changed = changed_upstream(value, [&](UpstreamConfig& config) {
      config.base_url = one.base_url;
      config.address = one.address;
      config.api_key = one.api_key;
    });
    auto made = make_provider(name, changed, parts);
    if (!made) return pass(std::move(made));
    members.all.push_back({std::move(one.name), std::move(*made)});
  }
  return members;
}

}  // namespace causeway::app
