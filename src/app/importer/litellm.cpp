#include "app/importer/litellm.h"

#include <algorithm>

namespace causeway::app::importer {
namespace {

constexpr std::string_view kFallbackNames[] = {"fallbacks", "context_window_fallbacks",
                                               "content_policy_fallbacks", "default_fallbacks"};

struct Group {
  std::string name;
  std::uint32_t line = 0;
  std::vector<LiteLlmDeployment> deployments;
};

class LiteLlm {
 public:
  explicit LiteLlm(const Value& root) : root_(root), draft_(root) {}

  Imported read() {
    read_models();
    for (const std::string_view section : {"router_settings", "litellm_settings"}) {
      read_fallbacks(std::string(section));
    }
    read_aliases();
    read_litellm_sections(draft_, root_);
    return draft_.finish(root_);
  }

 private:
  void read_models() {
    read_strategy();
    const Value* list = root_.find("model_list");
    if (!list || !list->is_list()) return;
    reserve_usual_variables(*list);
    std::vector<Group> groups;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const Value& entry = list->items[i];
      if (!entry.is_table()) continue;
      auto deployment = read_deployment(draft_, entry, "model_list[" + std::to_string(i) + "]",
                                        root_.find("credential_list"));
      if (deployment.wildcard) {
        expose(deployment, entry.at.line);
        continue;
      }
      auto group = std::ranges::find(groups, deployment.model_name, &Group::name);
      if (group == groups.end()) {
        groups.push_back({deployment.model_name, entry.at.line, {}});
        group = groups.end() - 1;
      }
      group->deployments.push_back(std::move(deployment));
    }
    for (const Group& group : groups) make_model(group);
  }

  // A deployment without a key means the variable that is usual for its provider: no secret in
  // clear of another deployment may get that name.
  void reserve_usual_variables(const Value& list) {
    for (const Value& entry : list.items) {
      const Value* params = entry.find("litellm_params");
      const Value* model = params ? params->find("model") : nullptr;
      if (!model || params->find("api_key")) continue;
      const auto* known = known_provider(model->text.substr(0, model->text.find('/')));
      if (!known) known = provider_of_model(model->text);
      if (known) draft_.secrets.reserve(std::string(known->variable));
    }
  }

  // "groq/*": the provider's models under their own names.
  void expose(const LiteLlmDeployment& deployment, std::uint32_t line) {
    if (!deployment.target) return;
    const ImportedTarget& target = *deployment.target;
    draft_.providers.expose(target.provider, target.model);
    if (deployment.model_name == target.name()) return;
    if (deployment.model_name == "*") everything_ = target.provider;
    draft_.out.remark(line, "model_name " + printable(deployment.model_name, 60),
                      "the provider's models are asked for as " + target.provider +
                          "/NAME; a shorter name needs an entry under `models`");
  }

  void read_strategy() {
    const Value* settings = root_.find("router_settings");
    const Value* given = settings ? settings->find("routing_strategy") : nullptr;
    if (!given || !given->is_scalar()) return;
    given->see();
    const std::string& name = given->text;
    std::string remark;
    if (name == "least-busy") {
      strategy_ = "least_busy";
    } else if (name == "latency-based-routing") {
      strategy_ = "fastest";
    } else if (name == "cost-based-routing" || name == "lowest-cost") {
      strategy_ = "cheapest";
    } else if (name.starts_with("usage-based-routing")) {
      strategy_ = "least_busy";
      remark =
          "the least used target of the minute is not known here: least_busy takes the one "
          "with the fewest requests under way";
    } else if (name != "simple-shuffle") {
      remark = "not known; targets are chosen by weight";
    }
    if (!remark.empty()) {
      draft_.out.remark(given->at.line, "router_settings.routing_strategy", remark);
    }
  }

  void make_model(const Group& group) {
    ImportedModel& model = draft_.model(group.name, group.line);
    std::vector<const LiteLlmDeployment*> usable;
    for (const auto& deployment : group.deployments) {
      if (deployment.target) usable.push_back(&deployment);
      draft_.limit_model(group.name, deployment.waits, deployment.retries);
    }
    const auto all_have = [&](auto member) {
      return std::ranges::all_of(usable, [&](const auto* d) { return (d->*member).has_value(); });
    };
    const bool ordered = usable.size() > 1 && all_have(&LiteLlmDeployment::order);
    if (ordered) {
      std::ranges::stable_sort(usable, {}, [](const auto* d) { return *d->order; });
    } else {
      remark_order(group);
    }
    const auto share = all_have(&LiteLlmDeployment::weight) ? &LiteLlmDeployment::weight
                       : all_have(&LiteLlmDeployment::rpm)  ? &LiteLlmDeployment::rpm
                                                            : &LiteLlmDeployment::tpm;
    const bool shared = !ordered && all_have(share);
    for (const auto* deployment : usable) {
      ImportedTarget target = *deployment->target;
      target.weight = shared ? std::clamp(*(deployment->*share), 0.0, 1e6) : 1;
      add_target(model, std::move(target));
    }
    if (model.targets.size() > 1) model.strategy = ordered ? "fallback" : strategy_;
    remark_rates(group);
  }

  void remark_order(const Group& group) {
    for (const auto& deployment : group.deployments) {
      if (!deployment.order) continue;
      draft_.out.remark(group.line, printable(group.name, 60) + ": order",
                        "not carried over: only where every deployment has one, `fallback` can "
                        "follow it");
      return;
    }
  }

  void remark_rates(const Group& group) {
    const bool any = std::ranges::any_of(
        group.deployments, [](const auto& d) { return d.rpm.has_value() || d.tpm.has_value(); });
    if (!any || rates_remarked_) return;
    rates_remarked_ = true;
    draft_.out.remark(group.line, "rpm, tpm",
                      "of every model: shares of its targets where they are chosen by weight, but "
                      "no limits; Causeway rests a target that answers 429");
  }

  const Value* aliases() const {
    const Value* settings = root_.find("router_settings");
    const Value* found = settings ? settings->find("model_group_alias") : nullptr;
    const Value* library = root_.find("litellm_settings");
    return found || !library ? found : library->find("model_alias_map");
  }

  // What an alias stands for; any other name stands for itself.
  std::string meant_by(const std::string& name) const {
    const Value* table = aliases();
    const Value* alias = table ? table->find(name) : nullptr;
    if (alias && alias->is_table()) alias = alias->find("model");
    return alias && alias->is_scalar() ? alias->text : name;
  }

  // After the fallbacks, which an alias has as well.
  void read_aliases() {
    const Value* aliases = this->aliases();
    if (!aliases || !aliases->is_table()) return;
    for (const Member& alias : aliases->members) {
      const auto name = alias.value.is_scalar() ? std::optional(alias.value.text)
                                                : take_text(alias.value, "model");
      if (!name) continue;
      alias.value.seen = true;
      const ImportedModel* meant = draft_.find_model(*name);
      if (!meant) {
        draft_.out.remark(alias.line, "alias " + printable(alias.name, 60),
                          "left out: there is no model \"" + printable(*name, 60) + '"');
        continue;
      }
      ImportedModel copy = *meant;
      ImportedModel& model = draft_.model(alias.name, alias.line);
      copy.name = model.name;
      copy.line = alias.line;
      model = std::move(copy);
      draft_.limit_alike(alias.name, *name);
    }
  }

  void read_fallbacks(const std::string& section) {
    const Value* settings = root_.find(section);
    if (!settings) return;
    for (const auto name : kFallbackNames) {
      const Value* list = settings->find(name);
      if (!list) continue;
      const std::string about = section + "." + std::string(name);
      if (name == "default_fallbacks") {
        for (const auto& other : texts_of(*list)) defaults_for_all(other, about, list->at.line);
      } else {
        one_kind_of_fallback(*list, about, name);
      }
    }
  }

  // [{"a": ["b", "c"]}], or one mapping.
  void one_kind_of_fallback(const Value& list, const std::string& about, std::string_view kind) {
    std::vector<const Member*> pairs;
    for (const Member& member : list.members) pairs.push_back(&member);
    for (const Value& item : list.items) {
      for (const Member& member : item.members) pairs.push_back(&member);
    }
    bool carried = false;
    for (const Member* pair : pairs) {
      for (const std::string& other : texts_of(pair->value)) {
        if (!add_fallback(pair->name, other, about, pair->line)) continue;
        carried = true;
        if (kind == "content_policy_fallbacks") draft_.ask_next_when_filtered(meant_by(pair->name));
      }
    }
    if (kind == "context_window_fallbacks" && carried) {
      draft_.out.remark(list.at.line, about,
                        "carried over as fallbacks: a target whose context is too small is passed "
                        "over; where the catalogue does not know its size, say it in the model's "
                        "`context`");
    }
  }

  void defaults_for_all(const std::string& other, const std::string& about, std::uint32_t line) {
    std::vector<std::string> names;
    for (const auto& model : draft_.out.models) names.push_back(model.name);
    for (const auto& name : names) {
      if (name != other) add_fallback(name, other, about, line);
    }
  }

  bool add_fallback(const std::string& name, const std::string& other, const std::string& about,
                    std::uint32_t line) {
    std::vector<ImportedTarget> more;
    if (const ImportedModel* there = draft_.find_model(meant_by(other))) {
      more = there->targets;
    } else if (!everything_.empty()) {
      more.push_back({.provider = everything_, .model = other});
    }
    ImportedModel* model = draft_.find_model(meant_by(name));
    if (!model || more.empty()) {
      draft_.out.remark(
          line, about,
          "left out: there is no model \"" + printable(model ? other : name, 60) + '"');
      return false;
    }
    const bool several = model->targets.size() > 1;
    for (ImportedTarget& target : more) {
      target.weight = 0;  // of `weighted`: never first
      const auto same = [&](const auto& there) { return there.name() == target.name(); };
      if (std::ranges::none_of(model->targets, same)) model->targets.push_back(std::move(target));
    }
    if (several && (model->strategy == "fastest" || model->strategy == "cheapest")) {
      draft_.out.remark(line, about,
                        "the fallbacks of \"" + printable(name, 60) +
                            "\" take part in the choice "
                            "of " +
                            model->strategy + "; with `fallback` they come last");
    }
    return true;
  }

  const Value& root_;
  Draft draft_;
  std::string strategy_ = "weighted";
  std::string everything_;  // the provider of the entry `*`
  bool rates_remarked_ = false;
};

}  // namespace

Imported import_litellm(const Value& root) { return LiteLlm(root).read(); }

}  // namespace causeway::app::importer
