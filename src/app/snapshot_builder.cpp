#include "app/snapshot_builder.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <span>

#include "app/features.h"
#include "app/listen_address.h"
#include "app/members.h"
#include "app/upstreams.h"
#include "core/stage.h"
#include "platform/text/glob.h"
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

constexpr std::size_t kMostPolicies = 64;  // Snapshot::matching() is a set of 64 bits

class Builder {
 public:
  Builder(const AppConfig& config, const SnapshotParts& parts, config::Problems& problems)
      : config_(config), parts_(parts), problems_(problems) {}

  std::shared_ptr<const Snapshot> build() {
    static std::atomic<std::uint64_t> versions{0};
    snapshot_->version = ++versions;
    snapshot_->pipeline = &parts_.pipeline;
    snapshot_->max_body_bytes = config_.server.limits.body;
    snapshot_->max_upload_bytes = config_.server.limits.upload;
    snapshot_->max_answer_bytes = config_.server.limits.answer;
    for (const Dialect* dialect : parts_.dialects.served()) {
      dialect->operations(snapshot_->operations);
    }
    snapshot_->operations.add({http::Method::Get,
                               "/healthz",
                               OperationKind::Health,
                               BodyKind::None,
                               &parts_.dialects.openai,
                               {}});
    using http::Method;
    for (const auto method :
         {Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Options}) {
      snapshot_->operations.add({method,
                                 "/providers/*",
                                 OperationKind::PassThrough,
                                 BodyKind::Opaque,
                                 &parts_.dialects.openai,
                                 {},
                                 {}});
    }
    check_listening();
    for (const auto& written : config_.server.trusted_proxies) {
      auto network = net::Network::parse(*written);
      if (!network) {
        problems_.add(written.at, network.error().message);
      } else {
        snapshot_->trusted_proxies.push_back(*network);
      }
    }
    prices_ = std::make_shared<const ledger::PriceBook>(price_settings(config_));
    snapshot_->prices = prices_;
    for (const auto& entry : config_.providers) add_provider(entry.name, entry.at, entry.value);
    for (const auto& entry : config_.models) add_model(entry);
    add_policies();
    return std::move(snapshot_);
  }

 private:
  void check_listening() {
    if (config_.server.plain_text_beyond_loopback) return;
    for (const auto& listen : {config_.server.listen, config_.server.admin}) {
      const auto address = parse_listen(*listen);
      if (!address || address->loopback) continue;
      problems_.add(listen.at,
                    "\"" + *listen +
                        "\" is reachable from other machines in plain text; set "
                        "server.plain_text_beyond_loopback: true if something in front ends TLS");
    }
  }

  void add_provider(const std::string& name, config::Position at, const config::Variant& value) {
    auto made = make_members(name, value, parts_);
    if (!made) return problems_.add(at, made.error().message);
    if (made->all.empty()) return;
    const UpstreamConfig* upstream = upstream_of(value);
    if (upstream && upstream->probe && !made->any().listing_call()) {
      problems_.add(at, "a provider of this kind cannot have a probe");
    }
    const auto& members = snapshot_->providers.emplace(name, std::move(*made)).first->second;
    if (!upstream) return snapshot_->exposed.push_back({"*", &members, false});
    for (const auto& pattern : upstream->expose) {
      snapshot_->exposed.push_back({pattern, &members, bare()});
    }
  }

  // With no models of its own, a configuration's providers are asked for by their models' own
  // names.
  bool bare() const { return config_.models.empty(); }

  std::vector<std::string> provider_names() const {
    std::vector<std::string> names;
    for (const auto& entry : config_.providers) names.push_back(entry.name);
    return names;
  }

  void no_provider(config::Position at, const std::string& name) {
    const auto names = provider_names();
    auto near = config::nearest(name, names);
    std::string message = "no provider \"" + name + '"';
    if (near.empty()) {
      std::string all;
      for (const auto& known : names) all += (all.empty() ? "" : ", ") + ('"' + known + '"');
      message += "; there is " + (all.empty() ? "none under \"providers\"" : all);
    }
    problems_.add(at, std::move(message), std::move(near));
  }

  void add_target(std::vector<Target>& targets, const config::Located<std::string>& located,
                  const std::string& model, const ModelConfig& config) {
    const std::string& text = *located;
    const auto slash = text.find('/');
    if (slash == std::string::npos || slash + 1 == text.size()) {
      return problems_.add(located.at, "\"" + text + "\" must be PROVIDER/MODEL",
                           config::nearest(text, provider_names()));
    }
    const std::string provider = text.substr(0, slash);
    const auto found = snapshot_->providers.find(provider);
    if (found == snapshot_->providers.end()) {
      if (config_.providers.find(provider)) return;  // it has a problem of its own
      return no_provider(located.at, provider);
    }
    const double* weight = config.weights.find(text);
    const std::size_t before = targets.size();
    found->second.add_targets(text, text.substr(slash + 1), weight ? *weight : 1, targets);
    for (Target& target : std::span(targets).subspan(before)) {
      describe_target(target, model, config);
    }
  }

  // What is known of a target beforehand: what the configuration says, else the catalogue.
  void describe_target(Target& target, const std::string& model, const ModelConfig& config) const {
    const std::string provider(target.provider->name());
    const auto& catalogue = prices_->settings().catalogue;
    if (const auto known = catalogue.find(provider); known != catalogue.end()) {
      if (const auto entry = ledger::find_in_catalogue(known->second, target.upstream_model)) {
        target.context = static_cast<std::uint32_t>(
            std::min<std::int64_t>(entry->context, std::numeric_limits<std::uint32_t>::max()));
      }
    }
    if (const auto* context = config.context.find(target.name)) target.context = *context;
    if (const auto* lacks = config.without.find(target.name)) {
      for (const Need need : *lacks) target.without |= need;
    }
    const auto price = prices_->find(provider, target.upstream_model, target.name, model);
    if (!price) return;
    const auto& tokens = price->tiers[0];
    target.input_price = price->per_hour ? 0 : tokens.input;
    target.output_price = price->per_hour ? 0 : tokens.output;
  }

  void check_target_names(const config::Map<ModelConfig>::Entry& entry) {
    const ModelConfig& config = entry.value;
    const auto known = [&](const std::string& name) {
      const auto is = [&](const auto& target) { return *target == name; };
      return std::ranges::any_of(config.targets, is) ||
             std::ranges::any_of(config.rules, [&](const RuleConfig& rule) {
               return std::ranges::any_of(rule.targets, is);
             });
    };
    const auto look = [&](const auto& map) {
      for (const auto& one : map) {
        if (known(one.name)) continue;
        problems_.add(one.at, "\"" + one.name + "\" is not a target of this model");
      }
    };
    look(config.weights);
    look(config.context);
    look(config.without);
  }

  // Of a target that tells no probabilities no answer could be judged.
  void check_escalation(const Escalation& escalate, const std::vector<Target>& targets,
                        const std::vector<config::Located<std::string>>& named) {
    if (!escalate || targets.empty()) return;
    Operation chat;
    chat.kind = OperationKind::Chat;
    chat.dialect = &parts_.dialects.openai;
    const Target& first = targets.front();
    if (first.provider->dialect(chat, first).logprob_reader()) return;
    problems_.add(named.front().at,
                  "`escalate` needs a first target that tells its tokens' probabilities, which \"" +
                      first.name +
                      "\" does not: one that speaks OpenAI's chat completions, or an embedded one");
  }

  void add_model(const config::Map<ModelConfig>::Entry& entry) {
    const ModelConfig& config = entry.value;
    Model model;
    model.name = entry.name;
    model.strategy = config.strategy;
    model.escalate = config.escalate;
    model.owned_by = "causeway";
    for (const auto& target : config.targets) add_target(model.targets, target, entry.name, config);
    for (const RuleConfig& one : config.rules) {
      Rule& rule = model.rules.emplace_back();
      rule.name = one.name;
      rule.when = std::make_shared<const Condition>(one.when);
      rule.strategy = one.strategy;
      rule.escalate = one.escalate;
      rule.asks_what_is_found = !one.when.found.empty();
      for (const auto& target : one.targets) add_target(rule.targets, target, entry.name, config);
    }
    check_target_names(entry);
    for (std::size_t i = 0; i < model.rules.size(); ++i) {
      check_escalation(model.rules[i].escalate, model.rules[i].targets, config.rules[i].targets);
    }
    check_escalation(model.escalate, model.targets, config.targets);
    snapshot_->models.emplace(entry.name, std::move(model));
  }

  void add_policies() {
    snapshot_->defaults = parts_.sections.defaults();
    if (config_.policies.size() > kMostPolicies) {
      problems_.add(config_.policies[kMostPolicies].at, "at most 64 policies");
    }
    for (const auto& policy : config_.policies) {
      snapshot_->policies.push_back(
          {policy.name,
           {policy.match.tenants, policy.match.keys, policy.match.roles, policy.match.models},
           parts_.sections.read(policy.sections, policy.name)});
    }
  }

  const AppConfig& config_;
  const SnapshotParts& parts_;
  config::Problems& problems_;
  std::shared_ptr<const ledger::PriceBook> prices_;
  std::shared_ptr<Snapshot> snapshot_ = std::make_shared<Snapshot>();
};

}  // namespace

std::shared_ptr<const Snapshot> build_snapshot(const AppConfig& config, const SnapshotParts& parts,
                                               config::Problems& problems) {
  return Builder(config, parts, problems).build();
}

void register_kinds(config::Registry& registry) {
  registry.kind<openai::OpenAiConfig>("provider", "openai",
                                      "Any server that speaks OpenAI's API: the cloud, vLLM, TGI, "
                                      "Ollama, LM Studio, llama-server.");
  registry.kind<gemini::GeminiConfig>("provider", "gemini",
                                      "Google's Gemini API, in its own form.");
  registry.kind<anthropic::AnthropicConfig>("provider", "anthropic",
                                            "Anthropic's API, or a server that speaks it.");
  registry.kind<azure::AzureConfig>("provider", "azure",
                                    "Azure OpenAI, in its dated and its v1 form.");
  registry.kind<bedrock::BedrockConfig>("provider", "bedrock",
                                        "Amazon Bedrock, through its Converse API.");
  registry.kind<huggingface::HuggingFaceConfig>(
      "provider", "huggingface", "Hugging Face's router, and dedicated Inference Endpoints.");
  registry.kind<vertex::VertexConfig>("provider", "vertex",
                                      "Google's Vertex AI, for Gemini and Claude.");
  registry.kind<embedded::EmbeddedConfig>("provider", "embedded",
                                          "Models that Causeway runs by itself.");
}

}  // namespace causeway::app
