// What policies say of models and providers that stand elsewhere in the file: a name that is none
// would be a setting that does nothing.
#include <algorithm>

#include "app/features.h"
#include "app/upstreams.h"
#include "app/vocabulary.h"
#include "engine/places.h"
#include "platform/text/glob.h"
#include "providers/embedded/config.h"

namespace causeway::app {
namespace {

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return text::glob_match(pattern, name); });
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + ('"' + name + '"');
  return all;
}

// "no model "x"; did you mean "y"", or what there is where nothing is near.
void none_of(config::Problems& problems, config::Position at, std::string message,
             std::string_view name, const std::vector<std::string>& names) {
  auto near = config::nearest(name, names);
  if (near.empty() && !names.empty()) message += "; there is " + listed(names);
  problems.add(at, std::move(message), std::move(near));
}

// Whether a name can be asked for embeddings.
class EmbeddingNames {
 public:
  EmbeddingNames(const AppConfig& config, config::Problems& problems)
      : config_(config), problems_(problems) {}

  void check(const config::Located<std::string>& name, const std::string& of) {
    if (name->empty() || config_.models.find(*name)) return;
    const auto slash = name->find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == name->size()) {
      return check_bare(name, of);
    }
    const std::string provider = name->substr(0, slash), model = name->substr(slash + 1);
    const config::Variant* found = config_.providers.find(provider);
    if (!found) {
      return none_of(problems_, name.at, of + "no provider \"" + provider + '"', provider,
                     config_.providers.names());
    }
    if (found->kind() == "embedded") return check_embedded(name, provider, model, of);
    const UpstreamConfig* upstream = upstream_of(*found);
    if (!upstream || matches_any(upstream->expose, model)) return;
    problems_.add(name.at, of + "the provider \"" + provider + "\" has \"" + model +
                               "\" not in its `expose`; name it there, or a model of `models`");
  }

 private:
  // Without models of its own, a configuration's providers are asked for by their models' names,
  // which only they know.
  void check_bare(const config::Located<std::string>& name, const std::string& of) const {
    std::vector<std::string> names = config_.models.names();
    for (const auto& provider : config_.providers) {
      const UpstreamConfig* upstream = upstream_of(provider.value);
      if (config_.models.empty() && upstream && matches_any(upstream->expose, *name)) return;
      if (provider.value.kind() != "embedded") continue;
      for (const auto& model : embedded(provider.name)) {
        if (model == provider.name + "/" + *name) {
          return problems_.add(name.at, of + no_model(*name), {model});
        }
      }
    }
    const auto near = config::nearest(*name, names);
    problems_.add(name.at,
                  of + no_model(*name) +
                      (near.empty() ? "; it must be one of `models`, or PROVIDER/MODEL" : ""),
                  near);
  }

  void check_embedded(const config::Located<std::string>& name, const std::string& provider,
                      const std::string& model, const std::string& of) const {
    const auto entries = embedded_models(config_, places_);
    if (!entries) return;  // what is wrong with them is said elsewhere
    for (const auto& entry : *entries) {
      if (entry.name != model) continue;
      if (entry.kind == EngineModelKind::Embeddings) return;
      return problems_.add(name.at, of + '"' + *name + "\" generates text and makes no embeddings",
                           embedded(provider));
    }
    const auto names = embedded(provider);
    if (std::ranges::find(names, *name) != names.end()) return;
    // It may be in a list that is not there.
    if (const auto why = engine::catalogue_problem(places_); !why.empty()) {
      return problems_.warn(name.at, of + no_model(*name) + ". " + why);
    }
    none_of(problems_, name.at, of + no_model(*name), *name, names);
  }

  static std::string no_model(const std::string& name) { return "no model \"" + name + '"'; }

  // Models for embeddings that this provider runs, by all their names.
  std::vector<std::string> embedded(const std::string& provider) const {
    std::vector<std::string> names;
    const auto entries = embedded_models(config_, places_);
    if (!entries) return names;
    for (const auto& entry : *entries) {
      if (entry.kind != EngineModelKind::Embeddings) continue;
      names.push_back(provider + "/" + entry.name);
      for (const auto& alias : entry.aliases) names.push_back(provider + "/" + alias);
    }
    return names;
  }

  const AppConfig& config_;
  config::Problems& problems_;
  const engine::Places places_ = engine::find_places(executable_path());
};

void check_target(const AppConfig& config, const std::string& name, config::Position at,
                  config::Problems& problems) {
  const std::string of = "overload.concurrency: ";
  const auto slash = name.find('/');
  const std::string provider = name.substr(0, slash);
  if (text::is_glob(provider) || (slash != std::string::npos && config.providers.find(provider))) {
    if (slash != name.size() - 1) return;
  }
  if (slash != std::string::npos && slash + 1 < name.size()) {
    return none_of(problems, at, of + "no provider \"" + provider + '"', provider,
                   config.providers.names());
  }
  std::vector<std::string> meant;
  if (const ModelConfig* model = config.models.find(name)) {
    for (const auto& target : all_targets(*model)) meant.push_back(*target);
  }
  problems.add(at, of + '"' + name + "\" must be PROVIDER/MODEL", std::move(meant));
}

}  // namespace

void check_policies(const AppConfig& config, config::Problems& problems) {
  EmbeddingNames embeddings(config, problems);
  for (const PolicyConfig& policy : config.policies) {
    if (const auto* faq = policy.sections.get(faq::kFaq)) {
      embeddings.check(faq->model, "faq.model: ");
    }
    if (const auto* cache = policy.sections.get(cache::kCache)) {
      embeddings.check(cache->meaning.model, "cache.meaning.model: ");
    }
    if (const auto* overload = policy.sections.get(overload::kOverload)) {
      for (const auto& one : overload->concurrency) {
        check_target(config, one.name, one.at, problems);
      }
    }
  }
}

}  // namespace causeway::app
