#include "features/traffic/routing/decision.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/caller.h"
#include "core/principal.h"
#include "core/prompt_tokens.h"
#include "core/provider.h"
#include "features/traffic/routing/asked.h"
#include "features/traffic/routing/condition.h"
#include "features/traffic/routing/language.h"
#include "platform/text/json_writer.h"

namespace causeway::routing {
namespace {

constexpr std::uint64_t kUsualAnswer = 500;   // tokens, where the request sets no limit
constexpr std::size_t kBeginning = 4 * 1024;  // bytes of a prompt that make replicas' caches differ

struct Route {
  const Rule* rule = nullptr;
  Strategy strategy = Strategy::Fallback;
  const Escalation* escalate = nullptr;
  const std::vector<Target>* targets = nullptr;
};

Route route_of(const Exchange& exchange) {
  const Model& model = *exchange.model;
  for (const Rule& rule : model.rules) {
    if (holds(*rule.when, exchange)) return {&rule, rule.strategy, &rule.escalate, &rule.targets};
  }
  return {nullptr, model.strategy, &model.escalate, &model.targets};
}

// The user where one is named, else who called.
std::uint64_t who_asks(const Exchange& exchange) {
  const std::string_view user = user_of(const_cast<Exchange&>(exchange));
  if (!user.empty()) return std::hash<std::string_view>()(user);
  return exchange.principal ? std::hash<std::string>()(exchange.principal->key_id) : 0;
}

// The first two messages: what the application tells every user, and how this conversation began.
std::uint64_t beginning_of(const RequestIndex& index) {
  std::uint64_t hash = 0;
  const std::hash<std::string_view> of;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, index.messages.size()); ++i) {
    hash = hash * 31 + of(index.bytes(index.messages[i].value).substr(0, kBeginning));
  }
  const auto* system = index.member(index.system_member);
  if (system) hash = hash * 31 + of(index.bytes(system->value).substr(0, kBeginning));
  if (index.messages.empty() && !index.texts.empty()) {
    hash = of(index.bytes(index.texts.front().value).substr(0, kBeginning));
  }
  return hash;
}

bool any_balances(const std::vector<Target>& targets, Strategy strategy) {
  return std::ranges::any_of(targets, [&](const Target& target) {
    return !target.member.empty() && target.balance == strategy;
  });
}

// What rules may look at in the question, where some rule of this model does.
void write_question(text::JsonWriter& json, const Exchange& exchange) {
  const auto any_asks = [&](const auto& asks) {
    return std::ranges::any_of(exchange.model->rules,
                               [&](const Rule& rule) { return asks(*rule.when); });
  };
  std::string joined;
  const auto question = question_of(const_cast<Exchange&>(exchange).request, joined);
  if (any_asks([](const Condition& when) { return when.complexity.has_value(); })) {
    const bool schema = (needs_of(exchange.index) & kNeedsSchema) != 0;
    json.field("complexity", complexity_score(shape_of(question, exchange.index, schema)));
  }
  if (any_asks([](const Condition& when) { return !when.languages.empty(); })) {
    json.field("language", language_of(question));
  }
}

bool serves(const Exchange& exchange, const Target& target) {
  return target.provider->serves(exchange.operation->kind, target.upstream_model);
}

// Why the first target's answer will not be judged though the route says so; empty = it will
// (exchange/judge.h).
std::string why_not_judged(const Exchange& exchange, const Target& first) {
  if (exchange.operation->kind != OperationKind::Chat) return "only answers to chats are";
  if (exchange.index.has_tools) return "with tools no probabilities are told";
  const auto is_first = [](const Target* target) { return target->place == 0; };
  const auto& order = exchange.targets;
  if (std::ranges::none_of(order, is_first)) return first.name + " does not serve such requests";
  if (std::ranges::all_of(order, is_first)) return "no other target serves such requests";
  if (!is_first(order.front())) return order.front()->name + " is asked before " + first.name;
  if (first.provider->dialect(*exchange.operation, first).logprob_reader()) return {};
  return first.name + " tells no probabilities in such answers";
}

std::int64_t whole_ms(std::chrono::nanoseconds time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time).count();
}

void write_quota(text::JsonWriter& json, const Quota::View& quota) {
  if (!quota.limited) return;
  json.key("quota").begin_object().field("wait_ms", quota.wait.count());
  json.field("waiting", quota.waiting).end_object();
}

void write_target(text::JsonWriter& json, const Exchange& exchange, const Target& target,
                  const Asking& asking, LoopStates& states) {
  json.begin_object().field("target", target.name);
  if (!target.member.empty()) json.field("member", target.member);
  json.field("zone", target.provider->zone() == Zone::Internal ? "internal" : "external");
  json.field("weight", target.weight);
  if (const TargetState* state = states.of(target)) {
    const TargetView view = state->view(asking.now, states.quota_of(target));
    json.field("state", to_string(view)).field("in_flight", view.in_flight);
    if (view.usual) json.field("usual_ms", whole_ms(*view.usual));
    if (view.rest.count() > 0) json.field("rests_ms", view.rest.count()).field("why", view.why);
    write_quota(json, view.quota);
  }
  if (target.context > 0) {
    json.field("context", target.context);
    if (asking.input_tokens > target.context) json.field("too_small", true);
  }
  if (const Needs lacks = target.without & needs_of(exchange.index); lacks != 0) {
    json.key("lacks").begin_array();
    for (const auto& [name, need] : names_of(Need())) {
      if (lacks & need) json.string(name);
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace

Asking asking_of(const Exchange& exchange, const std::vector<Target>& targets, Strategy strategy) {
  Asking asking;
  asking.now = exchange.context->clock->now();
  asking.draw = static_cast<std::uint64_t>(exchange.started.time_since_epoch().count());
  const auto limited = [](const Target& target) {
    return target.context > 0 || target.without != 0;
  };
  if (std::ranges::any_of(targets, limited) || strategy == Strategy::Cheapest) {
    asking.input_tokens = prompt_tokens(exchange, targets[0].key);
    asking.output_tokens = exchange.index.max_tokens.value_or(kUsualAnswer);
    asking.needs = needs_of(exchange.index);
  }
  if (strategy == Strategy::Sticky || any_balances(targets, Strategy::Sticky)) {
    asking.who = who_asks(exchange);
  }
  if (strategy == Strategy::Prefix || any_balances(targets, Strategy::Prefix)) {
    asking.begins = beginning_of(exchange.index);
  }
  return asking;
}

void choose_targets(Exchange& exchange, LoopStates& states) {
  const Route route = route_of(exchange);
  exchange.rule = route.rule ? std::string_view(route.rule->name) : std::string_view();
  exchange.escalate = *route.escalate ? route.escalate : nullptr;
  const auto& targets = *route.targets;
  if (targets.size() == 1) {
    exchange.targets.assign(1, &targets[0]);
  } else {
    const Asking asking = asking_of(exchange, targets, route.strategy);
    order_targets(targets, route.strategy, asking, states, exchange.targets);
  }
  std::erase_if(exchange.targets, [&](const Target* target) { return !serves(exchange, *target); });
}

std::string explained(const Exchange& exchange, LoopStates& states) {
  const Route route = route_of(exchange);
  const Asking asking = asking_of(exchange, *route.targets, route.strategy);
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("model", exchange.model->name);
  if (route.rule) {
    json.field("rule", route.rule->name);
  } else {
    json.key("rule").null();
  }
  json.field("strategy", causeway::to_string(route.strategy));
  if (exchange.escalate) {
    json.key("escalate").begin_object().field("below", exchange.escalate->below);
    json.field("tokens", exchange.escalate->tokens);
    const std::string why = why_not_judged(exchange, route.targets->front());
    if (!why.empty()) json.field("not_judged", why);
    json.end_object();
  }
  json.field("policy", exchange.policy->names);
  json.field("prompt_tokens", prompt_tokens(exchange, (*route.targets)[0].key));
  json.key("needs").begin_array();
  for (const auto& [name, need] : names_of(Need())) {
    if (needs_of(exchange.index) & need) json.string(name);
  }
  json.end_array().key("found").begin_array();
  for (const Fired& fired : exchange.fired) json.string(fired.kind);
  json.end_array().field("searched", exchange.searched);
  write_question(json, exchange);
  json.key("targets").begin_array();
  for (const Target* target : exchange.targets) {
    write_target(json, exchange, *target, asking, states);
  }
  json.end_array().end_object();
  return out;
}

}  // namespace causeway::routing
