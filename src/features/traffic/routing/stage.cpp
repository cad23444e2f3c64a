#include "features/traffic/routing/stage.h"

#include <algorithm>

#include "core/provider.h"
#include "core/snapshot.h"
#include "features/traffic/routing/decision.h"
#include "platform/config/problems.h"
#include "platform/text/glob.h"
#include "platform/text/percent.h"

namespace causeway::routing {
namespace {

// "openai/gpt-4.1" for a provider whose models are exposed, or the bare name where it says so.
std::shared_ptr<const Model> exposed_model(const Snapshot& snapshot, std::string_view name) {
  for (const auto& exposed : snapshot.exposed) {
    const std::string_view provider = exposed.members->any().name();
    std::string_view upstream;
    if (name.size() > provider.size() + 1 && name.starts_with(provider) &&
        name[provider.size()] == '/') {
      upstream = name.substr(provider.size() + 1);
    } else if (exposed.bare) {
      const auto known = exposed.members->any().known_models();
      if (std::find(known.begin(), known.end(), name) == known.end()) continue;
      upstream = name;
    } else {
      continue;
    }
    if (!text::glob_match(exposed.pattern, upstream)) continue;
    auto model = std::make_shared<Model>();
    model->name = name;
    model->owned_by = provider;
    exposed.members->add_targets(std::string(provider) + "/" + std::string(upstream),
                                 std::string(upstream), 1, model->targets);
    for (Target& target : model->targets) target.exposed = true;
    return model;
  }
  return nullptr;
}

std::string no_such_model(const Exchange& exchange, std::string_view name) {
  std::vector<std::string> visible;
  for (const auto& [known, model] : exchange.snapshot->models) {
    if (exchange.principal->may_use(known)) visible.push_back(known);
  }
  std::string message = "The model \"" + std::string(name.substr(0, 200)) + "\" does not exist.";
  const auto near = config::nearest(name, visible);
  for (std::size_t i = 0; i < near.size(); ++i) {
    message += (i == 0 ? " Did you mean \"" : ", \"") + near[i] + "\"";
  }
  if (!near.empty()) message += "?";
  return message + " GET /v1/models lists what there is.";
}

}  // namespace

// Segments that would lead out of the provider's own paths, escaped or not.
bool climbs(std::string_view path) {
  const std::string plain = text::percent_decoded(path);
  std::size_t begin = 0;
  while (begin <= plain.size()) {
    const auto end = std::min(plain.find_first_of("/\\", begin), plain.size());
    const std::string_view segment(plain.data() + begin, end - begin);
    if (segment == "." || segment == "..") return true;
    begin = end + 1;
  }
  return false;
}

// The model is "NAME/*": whoever may use all models of the provider may use its other paths, too.
Verdict ResolveStage::resolve_provider(Exchange& exchange, const Principal& caller) const {
  const Snapshot& snapshot = *exchange.snapshot;
  const std::string name(exchange.argument.substr(0, exchange.argument.find('/')));
  auto model = std::make_shared<Model>();
  model->name = name + "/*";
  model->owned_by = name;
  exchange.model_name = model->name;
  exchange.kept.push_back(model);
  exchange.policy = &snapshot.effective(snapshot.matching(caller, exchange.model_name));
  const auto found = snapshot.providers.find(name);
  if (found == snapshot.providers.end()) {
    return fail(ErrorKind::NotFound, Origin::Client,
                "There is no provider \"" + name.substr(0, 200) + "\".", "provider_not_found");
  }
  const auto& allowed = exchange.policy->sections.get(pass_through_);
  const bool any = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& pattern) {
    return text::glob_match(pattern, name);
  });
  if (!any) {
    return fail(ErrorKind::Forbidden, Origin::Client,
                "Requests are not passed through to \"" + name +
                    "\" for this caller; a policy with pass_through: [\"" + name +
                    "\"] would allow it.",
                "pass_through_off");
  }
  if (climbs(exchange.argument)) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                "The path has a segment \".\" or \"..\".", "bad_path");
  }
  found->second.add_targets(model->name, "*", 1, model->targets);
  exchange.model = model.get();
  return go_on();
}

Verdict ResolveStage::on_request(Exchange& exchange) {
  const Snapshot& snapshot = *exchange.snapshot;
  exchange.model_name = exchange.index.model;
  // Health is open to all: nobody is met by the policies that ask for no particular caller.
  static const Principal kNobody;
  const Principal& caller = exchange.principal ? *exchange.principal : kNobody;
  if (exchange.operation->kind == OperationKind::PassThrough) {
    return resolve_provider(exchange, caller);
  }
  exchange.policy = &snapshot.effective(snapshot.matching(caller, exchange.model_name));
  if (exchange.operation->body == BodyKind::None) return go_on();
  const auto found = snapshot.models.find(exchange.model_name);
  if (found != snapshot.models.end()) {
    exchange.model = &found->second;
    return go_on();
  }
  if (auto model = exposed_model(snapshot, exchange.model_name)) {
    exchange.model = model.get();
    exchange.kept.push_back(std::move(model));
    return go_on();
  }
  auto missing = fail(ErrorKind::NotFound, Origin::Client,
                      no_such_model(exchange, exchange.model_name), "model_not_found");
  missing.error().param = "model";
  return missing;
}

Verdict ValidateStage::on_request(Exchange& exchange) {
  if (!exchange.model) return go_on();
  const bool any = any_target(*exchange.model, [&](const Target& target) {
    return target.provider->serves(exchange.operation->kind, target.upstream_model);
  });
  if (any) return go_on();
  auto refused = fail(ErrorKind::InvalidRequest, Origin::Client,
                      "The model \"" + exchange.model->name + "\" does not do " +
                          std::string(to_string(exchange.operation->kind)) + ".",
                      "operation_not_supported");
  refused.error().param = "model";
  return refused;
}

Verdict ChooseStage::on_request(Exchange& exchange) {
  if (!exchange.model) return go_on();
  LoopStates& states = states_[static_cast<std::size_t>(exchange.context->index)];
  states.forget_gone();
  choose_targets(exchange, states);
  if (!exchange.explain) return go_on();
  auto reply = std::make_unique<Reply>();
  reply->body = explained(exchange, states);
  return reply;
}

}  // namespace causeway::routing
