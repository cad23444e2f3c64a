#include "app/importer/portkey.h"

#include <algorithm>

namespace causeway::app::importer {
namespace {

constexpr int kDeepest = 16;  // groups within groups
constexpr std::string_view kGuards =
    "guardrails are not run; what Causeway has is `pii` (docs/pii.md)";

constexpr KnownRemark kBeside[] = {
    {"cache", "answers are not cached yet"},
    {"input_guardrails", kGuards},
    {"output_guardrails", kGuards},
    {"default_input_guardrails", kGuards},
    {"default_output_guardrails", kGuards},
    {"before_request_hooks", kGuards},
    {"after_request_hooks", kGuards},
    {"forward_headers",
     "headers pass by a list of Causeway's own; `headers` of a provider adds some"},
    {"metadata", "callers are told apart by their keys (tenant, user, roles)"},
    {"prompt_id", "prompt templates are not there yet"},
    {"passthrough", "see docs/pass-through.md"},
    {"strict_open_ai_compliance", "nothing to do"},
};

// What a group comes to: targets in order, with their shares.
struct Flat {
  std::vector<ImportedTarget> targets;
  bool shares = false;  // chosen by weight
};

class Portkey {
 public:
  Portkey(const Value& root, const PortkeyNames& names)
      : root_(root), names_(names), draft_(root) {}

  Imported read() {
    ImportedModel& model = draft_.model(names_.model, root_.at.line);
    name_ = model.name;
    const Flat flat = group(root_, "", 0);
    fill(name_, flat);
    if (model_is_free_) std::erase_if(draft_.out.models, [](const auto&) { return true; });
    if (placeholder_) say_placeholder();
    limits();
    return draft_.finish(root_);
  }

 private:
  std::string below(const std::string& path, std::size_t i) const {
    return (path.empty() ? "" : path + ".") + "targets[" + std::to_string(i) + "]";
  }
  static std::string about(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  Flat group(const Value& value, const std::string& path, int depth) {
    beside(value, path);
    const Value* targets = value.find("targets");
    if (!targets || !targets->is_list()) return single(value, path);
    if (depth > kDeepest) {
      draft_.out.remark(targets->at.line, about(path, "targets"), "left out: nested too deep");
      targets->see();
      return {};
    }
    const Value* strategy = value.find("strategy");
    const std::string mode = strategy ? take_text(*strategy, "mode").value_or("") : "";
    if (strategy) strategy_beside(*strategy, about(path, "strategy"));
    std::vector<Flat> parts;
    for (std::size_t i = 0; i < targets->items.size(); ++i) {
      parts.push_back(group(targets->items[i], below(path, i), depth + 1));
    }
    if (mode != "conditional") say_labels(*targets, path);
    if (mode == "loadbalance") return by_share(*targets, parts, path);
    if (mode == "conditional") return by_condition(*strategy, *targets, parts, path, depth);
    if (mode == "single" && parts.size() > 1) {
      draft_.out.remark(targets->at.line, about(path, "targets"),
                        "mode `single` asks the first only; the others are its fallbacks here");
    }
    return in_order(parts, path, targets->at.line);
  }

  void say_labels(const Value& targets, const std::string& path) {
    for (std::size_t i = 0; i < targets.items.size(); ++i) {
      draft_.remark_member(targets.items[i], below(path, i), "name",
                           "only a label: a target is called PROVIDER/MODEL");
    }
  }

  Flat single(const Value& value, const std::string& path) {
    const bool names_one = value.find("provider") || value.find("virtual_key") ||
                           value.find("override_params") || value.find("api_key") ||
                           value.find("custom_host");
    if (!names_one) return {};
    const auto target = read_portkey_target(draft_, value, path, names_);
    if (!target) return {};
    const bool alone = path.empty();
    if (!target->model_is_said && names_.target_model.empty()) {
      if (alone) {  // the application names the model, as it does with Portkey
        draft_.providers.expose(target->provider, "*");
        model_is_free_ = true;
        return {};
      }
      placeholder_ = true;
    }
    return {{{.provider = target->provider, .model = target->model}}, false};
  }

  void say_placeholder() {
    draft_.out.remark(root_.at.line, "override_params.model",
                      "some targets name no model (the application's went through): put one in the "
                      "place of MODEL, or import with --target-model NAME");
  }

  Flat in_order(const std::vector<Flat>& parts, const std::string& path, std::uint32_t line) {
    Flat all;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i == 0) all.shares = parts[0].shares;
      if (i > 0 && parts[i].shares) {
        draft_.out.remark(line, below(path, i),
                          "its targets are asked in their order, not by share: a model has one "
                          "strategy");
      }
      for (ImportedTarget target : parts[i].targets) {
        if (i > 0) target.weight = 0;
        append(all.targets, std::move(target));
      }
    }
    if (!all.shares) {
      for (auto& target : all.targets) target.weight = 1;
    }
    return all;
  }

  Flat by_share(const Value& targets, const std::vector<Flat>& parts, const std::string& path) {
    Flat all{{}, true};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const double share =
          std::clamp(take_number(targets.items[i], "weight").value_or(1), 0.0, 1e6);
      double sum = 0;
      for (const auto& target : parts[i].targets) sum += target.weight;
      for (std::size_t j = 0; j < parts[i].targets.size(); ++j) {
        ImportedTarget target = parts[i].targets[j];
        const bool spread = parts[i].shares && sum > 0;
        target.weight = spread ? share * target.weight / sum : (j == 0 ? share : 0);
        append(all.targets, std::move(target));
      }
      if (!parts[i].shares && parts[i].targets.size() > 1) {
        draft_.out.remark(targets.items[i].at.line, below(path, i),
                          "its fallbacks are those of all targets here, and come last");
      }
    }
    return all;
  }

  static void append(std::vector<ImportedTarget>& all, ImportedTarget target) {
    for (auto& there : all) {
      if (there.name() != target.name()) continue;
      there.weight += target.weight;
      return;
    }
    all.push_back(std::move(target));
  }

  // The targets of the default, and a rule for each condition that Causeway can look at.
  Flat by_condition(const Value& strategy, const Value& targets, const std::vector<Flat>& parts,
                    const std::string& path, int depth) {
    const auto part_named = [&](const std::string& name) -> const Flat* {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const Value* own = targets.items[i].find("name");
        if (own && own->text == name) return &parts[i];
      }
      return nullptr;
    };
    for (const Value& target : targets.items) (void)take_text(target, "name");
    const Value* conditions = strategy.find("conditions");
    for (std::size_t i = 0; conditions && i < conditions->items.size(); ++i) {
      const Value& condition = conditions->items[i];
      const auto then = take_text(condition, "then");
      const Flat* part = then ? part_named(*then) : nullptr;
      const std::string where = about(path, "strategy.conditions[" + std::to_string(i) + "]");
      if (!part || depth > 0) {
        condition.see();
        draft_.out.remark(
            condition.at.line, where,
            part ? "left out: conditions within a group" : "left out: no such target");
        continue;
      }
      add_condition(condition, *part, *then, where);
    }
    const auto standard = take_text(strategy, "default");
    const Flat* part = standard ? part_named(*standard) : nullptr;
    if (part) return *part;
    return parts.empty() ? Flat{} : parts.front();
  }

  void add_condition(const Value& condition, const Flat& part, const std::string& name,
                     const std::string& where) {
    ImportedRule rule{.name = name, .metadata = {}, .targets = {}};
    for (const auto& target : part.targets) rule.targets.push_back(target.name());
    const Value* query = condition.find("query");
    std::string model;
    const bool known = query && read_query(*query, rule, model) && !rule.targets.empty();
    condition.see();
    if (!known) {
      draft_.out.remark(condition.at.line, where,
                        "left out: a rule can look at metadata that equals something ($eq, $and); "
                        "what else rules look at stands in docs/configuration.md");
    } else if (!model.empty()) {
      ImportedModel& other = draft_.model(model, condition.at.line);
      if (other.targets.empty()) fill(model, part);
      draft_.out.remark(condition.at.line, where,
                        "became the model \"" + printable(model, 60) + '"');
    } else {
      draft_.find_model(name_)->rules.push_back(std::move(rule));
    }
  }

  // {"metadata.plan": {"$eq": "paid"}}, {"$and": […]}, or the model that is asked for.
  bool read_query(const Value& query, ImportedRule& rule, std::string& model) {
    for (const Member& member : query.members) {
      if (member.name == "$and") {
        for (const Value& part : member.value.items) {
          if (!read_query(part, rule, model)) return false;
        }
        continue;
      }
      const Value* equal = member.value.is_table() && member.value.members.size() == 1
                               ? member.value.find("$eq")
                               : &member.value;
      if (!equal || !equal->is_scalar()) return false;
      if (member.name.starts_with("metadata.")) {
        rule.metadata.push_back({member.name.substr(9), equal->text});
      } else if (member.name == "params.model" && query.members.size() == 1) {
        model = equal->text;
      } else {
        return false;
      }
    }
    return model.empty() != rule.metadata.empty();
  }

  void fill(const std::string& name, const Flat& flat) {
    ImportedModel* model = draft_.find_model(name);
    model->targets = flat.targets;
    model->strategy = flat.shares ? "weighted" : "fallback";
  }

  void strategy_beside(const Value& strategy, const std::string& path) {
    draft_.remark_member(strategy, path, "on_status_codes",
                         "which errors go on to the next target is Causeway's own decision "
                         "(docs/errors.md)");
    draft_.remark_known(strategy, path, kBeside);
    breaker(strategy);
  }

  void breaker(const Value& value) {
    const Value* config = value.find("cb_config");
    if (!config || !config->is_table()) return;
    std::optional<Millis> rest;
    if (const auto wait = take_number(*config, "cooldown_interval")) rest = wait_of(*wait);
    draft_.rest_after(take_number(*config, "failure_threshold"), rest);
  }

  void beside(const Value& value, const std::string& path) {
    if (const auto milliseconds = take_number(value, "request_timeout")) {
      const Millis wait = wait_of(*milliseconds);
      if (!waits_.total || wait > *waits_.total) waits_.total = wait;
      if (!path.empty()) parted_ = true;
    }
    if (const Value* retry = value.find("retry"); retry && retry->is_table()) {
      for (const std::string_view name : {"attempts", "count"}) {
        if (const auto tries = take_number(*retry, name)) {
          retries_ = std::max(retries_.value_or(0), retries_of(*tries));
          if (!path.empty()) parted_ = true;
        }
      }
      draft_.remark_member(*retry, about(path, "retry"), "on_status_codes",
                           "which errors are tried again is Causeway's own decision "
                           "(docs/errors.md)");
      draft_.remark_member(*retry, about(path, "retry"), "use_retry_after_header",
                           "nothing to do: it is always heeded");
    }
    draft_.remark_known(value, path, kBeside);
    breaker(value);
  }

  void limits() {
    if (parted_) {
      draft_.out.remark(root_.at.line, "request_timeout, retry",
                        "said by target; in a policy they hold for the whole model: the longest "
                        "and the most were taken");
    }
    draft_.everyone.waits = waits_;
    draft_.everyone.retries = retries_;
  }

  const Value& root_;
  const PortkeyNames& names_;
  Draft draft_;
  std::string name_;
  Waits waits_;
  std::optional<int> retries_;
  bool parted_ = false, placeholder_ = false, model_is_free_ = false;
};

}  // namespace

Imported import_portkey(const Value& root, const PortkeyNames& names) {
  return Portkey(root, names).read();
}

}  // namespace causeway::app::importer
