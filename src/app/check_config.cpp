#include <algorithm>
#include <array>
#include <map>

#include "app/dialects.h"
#include "app/features.h"
#include "app/snapshot_builder.h"
#include "app/upstreams.h"
#include "app/vocabulary.h"
#include "engine/places.h"
#include "features/access/keys/ring.h"
#include "features/insight/ledger/prices.h"
#include "features/privacy/pii/config.h"
#include "features/privacy/pii/kind.h"
#include "features/traffic/limits/limit.h"
#include "features/traffic/limits/table.h"
#include "platform/text/glob.h"
#include "providers/embedded/config.h"

namespace causeway::app {

keys::ConfigKey config_key(const KeyConfig& config) {
  keys::ConfigKey key;
  key.key.name = config.name;
  key.key.kind = keys::kind_from_text(config.kind).value_or(keys::KeyKind::Application);
  key.key.tenant = config.tenant;
  key.key.user = config.user;
  key.key.roles = config.roles;
  for (const auto& attribute : config.attributes) {
    key.key.attributes.emplace(attribute.name, attribute.value);
  }
  key.key.models = config.models;
  key.secret = config.secret;
  return key;
}

void check_keys(const AppConfig& config, config::Problems& problems) {
  std::vector<keys::ConfigKey> keys;
  for (const auto& key : config.keys) {
    if (key.secret.reveal().empty()) continue;  // which has been said where it was read
    if (keys::is_own_key(key.name)) {
      problems.add(key.at, "\"" + key.name + "\" is what Causeway calls the key of its own verbs");
      continue;
    }
    // One by one first, so that the problem has the place of its key.
    auto one = keys::KeyRing::check_config_keys({config_key(key)});
    if (!one) {
      problems.add(key.at, one.error().message);
    } else {
      keys.push_back(config_key(key));
    }
  }
  if (auto all = keys::KeyRing::check_config_keys(keys); !all) {
    problems.add(config.keys.back().at, all.error().message);
  }
}

namespace {

std::vector<std::string> pii_kinds() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pii::kKinds; ++i) {
    names.emplace_back(pii::name_of(static_cast<pii::Kind>(i)));
  }
  return names;
}

// A kind that a policy does not look for is never found: its rule would let everything pass.
void check_looked_for(const AppConfig& config, const RuleConfig& rule, pii::Kind kind,
                      config::Problems& problems) {
  for (const PolicyConfig& policy : config.policies) {
    const auto* settings = policy.sections.get(pii::kPii);
    if (!settings || !settings->treatment || looks_for(*settings, kind)) continue;
    problems.add(rule.at, "the rule \"" + rule.name +
                              "\" goes by what `pii` finds, but the policy \"" + policy.name +
                              "\" does not look for " + std::string(pii::name_of(kind)) +
                              "; let it report it");
  }
}

}  // namespace

namespace {

void check_found(const AppConfig& config, const RuleConfig& rule, config::Problems& problems) {
  const auto kinds = pii_kinds();
  for (const std::string& pattern : rule.when.found) {
    bool any = false;
    for (const std::string& name : kinds) {
      if (!text::glob_match(pattern, name)) continue;
      if (pattern.find('*') == std::string::npos) {
        check_looked_for(config, rule, *pii::kind_named(name), problems);
      }
      any = true;
    }
    if (any) continue;
    problems.add(rule.at, "the rule \"" + rule.name + "\": `pii` has no kind \"" + pattern + '"',
                 config::nearest(pattern, kinds));
  }
  const bool anybody_looks = std::ranges::any_of(config.policies, [](const PolicyConfig& policy) {
    const auto* settings = policy.sections.get(pii::kPii);
    return settings && settings->treatment;
  });
  if (rule.when.found.empty() || anybody_looks) return;
  problems.add(rule.at, "the rule \"" + rule.name +
                            "\" goes by what `pii` finds, but no policy looks: it would hold for "
                            "every request; say `pii: report` in a policy");
}

void check_condition(const RuleConfig& rule, config::Problems& problems) {
  const Condition& when = rule.when;
  const std::string name = "the rule \"" + rule.name + "\": ";
  if (when.easy_below != Condition().easy_below && !when.complexity) {
    problems.add(rule.at, name + "`easy_below` says nothing without `complexity`");
  }
  if (when.tokens_over && when.tokens_under && *when.tokens_over + 1 >= *when.tokens_under) {
    problems.add(rule.at, name +
                              "no prompt has more than `tokens_over` and fewer than "
                              "`tokens_under` tokens");
  }
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    known.emplace_back(to_string(static_cast<OperationKind>(i)));
  }
  for (const std::string& pattern : when.operations) {
    const auto fits = [&](const std::string& kind) { return text::glob_match(pattern, kind); };
    if (std::ranges::any_of(known, fits)) continue;
    problems.add(rule.at, name + "no operation is called \"" + pattern + '"',
                 config::nearest(pattern, known));
  }
}

// What a rule keeps in the house can be asked of a provider outside by that one's own name.
void warn_of_ways_around(const AppConfig& config, const RuleConfig& rule,
                         config::Problems& problems) {
  if (rule.when.found.empty() && rule.when.data.empty()) return;
  for (const auto& provider : config.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    if (!upstream || upstream->zone == Zone::Internal || upstream->expose.empty()) continue;
    problems.warn(rule.at, "the rule \"" + rule.name + "\" does not hold for who asks for " +
                               provider.name +
                               "/MODEL itself; `expose: []` at that provider "
                               "forbids it");
  }
}

// Where the address was forgotten (replicas that are found by file or name have their own), the
// kind's usual one would be the cloud.
void check_zones(const AppConfig& config, config::Problems& problems) {
  constexpr std::array<std::string_view, 4> kClouds = {"//api.openai.com", "//api.anthropic.com",
                                                       "//generativelanguage.googleapis.com",
                                                       "//router.huggingface.co"};
  for (const auto& provider : config.providers) {
    const UpstreamConfig* upstream = upstream_of(provider.value);
    if (!upstream || upstream->zone != Zone::Internal) continue;
    const bool listed = upstream->replicas && !upstream->replicas->urls.empty();
    const auto is_at = [&](std::string_view cloud) {
      return upstream->base_url.find(cloud) != std::string::npos;
    };
    if (listed || std::ranges::none_of(kClouds, is_at)) continue;
    problems.add(provider.at, "the provider \"" + provider.name +
                                  "\" is in zone internal, but at " + upstream->base_url +
                                  "; say its base_url");
  }
}

}  // namespace

// A limit that nobody looks at would be worse than an error.
static void check_limits(const AppConfig& config, config::Problems& problems) {
  for (const PolicyConfig& policy : config.policies) {
    const auto* limits = policy.sections.get(limits::kLimits);
    if (!limits || limits->size() <= limits::Table::kMostLimits) continue;
    problems.add(policy.at, "the policy \"" + policy.name + "\" has " +
                                std::to_string(limits->size()) + " limits; at most " +
                                std::to_string(limits::Table::kMostLimits) + " are looked at");
  }
}

// Those of one name are one limit: with two amounts nobody knows which one holds.
static void check_shared_limits(const AppConfig& config, config::Problems& problems) {
  std::map<std::string, std::pair<std::string, std::string>> known;  // by name: amount, policy
  for (const PolicyConfig& policy : config.policies) {
    const auto* limits = policy.sections.get(limits::kLimits);
    if (!limits) continue;
    for (const limits::LimitConfig& limit : *limits) {
      if (limit.name.empty()) continue;
      limits::LimitConfig unnamed = limit;
      unnamed.name.clear();
      const std::string says = limits::name_of(unnamed);
      const auto [at, fresh] = known.try_emplace(limit.name, says, policy.name);
      if (fresh || at->second.first == says) continue;
      problems.add(policy.at, "the limit \"" + limit.name + "\" of the policy \"" + policy.name +
                                  "\" is not as in the policy \"" + at->second.second +
                                  "\": one name is one limit. Say the same, or call it otherwise");
    }
  }
}

namespace {

// As far as it is known: of the models that the program runs itself, and of the catalogue's.
bool makes_embeddings(const AppConfig& config, const std::string& target) {
  const std::string provider = target.substr(0, target.find('/'));
  const std::string model = target.substr(std::min(target.size(), provider.size() + 1));
  const config::Variant* found = config.providers.find(provider);
  if (found && found->kind() == "embedded") {
    const auto entries = embedded_models(config, engine::find_places(executable_path()));
    return entries && std::ranges::any_of(*entries, [&](const engine::ModelEntry& entry) {
             return entry.kind == EngineModelKind::Embeddings &&
                    (entry.name == model || std::ranges::count(entry.aliases, model) > 0);
           });
  }
  const auto catalogue = price_settings(config).catalogue;
  const auto known = catalogue.find(provider);
  if (known == catalogue.end()) return false;
  const auto entry = ledger::find_in_catalogue(known->second, model);
  return entry && entry->mode == "embedding";
}

// What is never judged would be a setting that does nothing (exchange/judge.h).
void check_judged(const AppConfig& config, const std::string& name, const ModelConfig& model,
                  const std::vector<config::Located<std::string>>& targets, const Condition* when,
                  config::Position at, config::Problems& problems) {
  if (targets.empty()) return;
  const auto& first = targets.front();
  if (makes_embeddings(config, *first)) {
    problems.add(first.at, name + ": `escalate` needs a first target that answers chats; \"" +
                               *first + "\" makes embeddings");
  }
  if (const double* weight = model.weights.find(*first); weight && *weight == 0) {
    problems.add(first.at, name + ": `escalate` asks \"" + *first +
                               "\" first, and `weights` says only as a fallback; list another "
                               "one first or give it a weight");
  }
  if (!when) return;
  const auto takes_chats = [](const std::string& pattern) {
    return text::glob_match(pattern, to_string(OperationKind::Chat));
  };
  if (!when->operations.empty() && std::ranges::none_of(when->operations, takes_chats)) {
    problems.add(at, name + ": `escalate` says nothing without chats among `operations`");
  }
  if (std::ranges::count(when->needs, kNeedsTools) > 0) {
    problems.add(at, name +
                         ": `escalate` says nothing with `needs: tools`: no probabilities are "
                         "told with tools");
  }
}

}  // namespace

// Which target is the first one must not depend on the moment; a rule that keeps data in the house
// throws no answer away to ask outside.
static void check_escalation(const AppConfig& config, const std::string& name, Strategy strategy,
                             const std::vector<config::Located<std::string>>& targets,
                             const Condition* when, config::Position at,
                             config::Problems& problems) {
  if (strategy != Strategy::Fallback) {
    problems.add(at, name +
                         ": `escalate` goes with `strategy: fallback`: the first target listed "
                         "is the one whose answer is judged");
  }
  const auto is_first = [&](const auto& target) { return *target == *targets.front(); };
  if (std::ranges::all_of(targets, is_first)) {  // twice the same one is no second one
    problems.add(at, name +
                         ": `escalate` needs a second target, which is asked where the first is "
                         "not sure");
  }
  if (!when || (when->found.empty() && when->data.empty())) return;
  for (const auto& target : targets) {
    const config::Variant* provider = config.providers.find(target->substr(0, target->find('/')));
    const UpstreamConfig* upstream = provider ? upstream_of(*provider) : nullptr;
    if (!upstream || upstream->zone == Zone::Internal) continue;
    problems.add(target.at, name +
                                " keeps data in the house; with `escalate` the question would "
                                "go out to " +
                                *target +
                                " where the first target is not sure. "
                                "List only targets in zone internal");
  }
}

void check_rules(const AppConfig& config, config::Problems& problems) {
  check_zones(config, problems);
  check_limits(config, problems);
  check_shared_limits(config, problems);
  for (const auto& model : config.models) {
    if (model.value.targets.empty()) {
      problems.add(model.at, "the model \"" + model.name + "\" has no targets");
    }
    if (model.value.escalate) {
      check_escalation(config, "the model \"" + model.name + '"', model.value.strategy,
                       model.value.targets, nullptr, model.at, problems);
      check_judged(config, "the model \"" + model.name + '"', model.value, model.value.targets,
                   nullptr, model.at, problems);
    }
    std::vector<std::string> names;
    for (const RuleConfig& rule : model.value.rules) {
      if (rule.targets.empty()) {
        problems.add(rule.at, "the rule \"" + rule.name + "\" has no targets");
      }
      if (std::ranges::count(names, rule.name) > 0) {
        problems.add(rule.at, "there is a rule \"" + rule.name + "\" already");
      }
      names.push_back(rule.name);
      if (rule.escalate) {
        check_escalation(config, "the rule \"" + rule.name + '"', rule.strategy, rule.targets,
                         &rule.when, rule.at, problems);
        check_judged(config, "the rule \"" + rule.name + '"', model.value, rule.targets, &rule.when,
                     rule.at, problems);
      }
      check_found(config, rule, problems);
      check_condition(rule, problems);
      warn_of_ways_around(config, rule, problems);
    }
  }
}

void check_parts(const Vocabulary& vocabulary, const AppConfig& config,
                 const Environment& environment, config::Problems& problems) {
  check_keys(config, problems);
  check_rules(config, problems);
  check_policies(config, problems);
  Pipeline pipeline;
  ModelListings listings;
  AccessTokens tokens;
  Dialects dialects;
  (void)build_snapshot(
      config,
      {pipeline, vocabulary.sections, dialects, listings, tokens, nullptr, nullptr, environment},
      problems);
}

void check_config(const Vocabulary& vocabulary, const std::string& path,
                  const Environment& environment, config::Problems& problems) {
  const AppConfig config = vocabulary.schema->read_file(path, problems);
  check_parts(vocabulary, config, environment, problems);
}

}  // namespace causeway::app
