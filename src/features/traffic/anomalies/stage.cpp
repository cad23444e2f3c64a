#include "features/traffic/anomalies/stage.h"

#include <algorithm>
#include <cmath>

#include "core/caller.h"

namespace causeway::anomalies {
namespace {

constexpr std::array<std::string_view, kKinds> kWhat = {"this address", "this user",
                                                        "this API key"};

bool concerns(const Exchange& exchange) {
  return !exchange.internal && exchange.operation->kind != OperationKind::Health;
}

std::string reason_of(const Excess& excess) {
  return std::to_string(std::lround(excess.rate)) + " requests in ten seconds, where " +
         std::to_string(std::lround(excess.usual)) + " are usual";
}

}  // namespace

void Guard::configure(const AnomalySettings& settings) {
  const std::lock_guard lock(rules_mutex_);
  if (!settings.on) {
    rule_.store(nullptr, std::memory_order_release);
    return;
  }
  const Rule* now = rule_.load(std::memory_order_relaxed);
  if (now && now->settings == settings) return;
  auto rule = std::make_unique<Rule>();
  rule->settings = settings;
  for (const Kind kind : settings.watch) rule->watched[index(kind)] = true;
  rule->limits = {static_cast<double>(settings.floor), settings.factor, settings.subjects};
  rule->lengths = {settings.first, settings.longest, settings.forget};
  for (const std::string& text : settings.exempt) {
    if (auto network = net::Network::parse(text)) rule->exempt.push_back(*network);
  }
  rule_.store(rule.get(), std::memory_order_release);
  rules_.push_back(std::move(rule));
}

const Guard::Rule* Guard::rule_for(Kind kind) const {
  const Rule* rule = rule_.load(std::memory_order_acquire);
  return rule && rule->watched[index(kind)] ? rule : nullptr;
}

Verdict Guard::refuse(Exchange& exchange, Kind kind, const InForce& block) {
  refused_[index(kind)].fetch_add(1, std::memory_order_relaxed);
  const auto wait = std::chrono::ceil<std::chrono::seconds>(block.until - exchange.started_wall);
  const std::string what(kWhat[index(kind)]);
  const std::string left = std::to_string(wait.count()) + " more seconds.";
  auto refused =
      fail(ErrorKind::RateLimited, Origin::Us,
           block.by_operator
               ? "An operator of this gateway has blocked " + what + ", for " + left
               : "Far more was asked for than is usual: " + what + " is blocked for " + left,
           "blocked");
  refused.error().retry_after = wait;
  // Clients that try again by themselves would only be refused again.
  exchange.said.push_back({"x-should-retry", "false"});
  return refused;
}

template <class Make>
Verdict Guard::count(const Rule& rule, Kind kind, Mark mark, Exchange& exchange, Make make) {
  const auto excess = rates_.note(kind, mark, rule.limits, exchange.started);
  if (!excess) return go_on();
  const Wall now = exchange.started_wall;
  const Block block = blocks_.add_spike(make(), reason_of(*excess), rule.lengths, now);
  spikes_[index(kind)].fetch_add(1, std::memory_order_relaxed);
  const auto length = std::chrono::ceil<std::chrono::seconds>(block.until - now);
  log_.warn("blocked: far more requests than usual", {{"who", block.subject.who},
                                                      {"tenant", block.subject.tenant},
                                                      {"rate", excess->rate},
                                                      {"usual", excess->usual},
                                                      {"step", block.step},
                                                      {"for_s", length.count()}});
  return refuse(exchange, kind, {block.until, !block.actor.empty()});
}

Verdict Guard::on_address(Exchange& exchange) {
  const Rule* rule = rule_for(Kind::Address);
  if (!rule && !blocks_.any()) return go_on();
  const auto bytes = net::address_bytes(exchange.address);
  if (!bytes) return go_on();
  const Wall now = exchange.started_wall;
  const Mark mark = blocks_.marks().of_address(*bytes);
  if (const auto block = blocks_.find(mark, now)) return refuse(exchange, Kind::Address, *block);
  if (const auto block = blocks_.find_network(*bytes, now)) {
    return refuse(exchange, Kind::Address, *block);
  }
  if (!rule || net::in_any(rule->exempt, *bytes)) return go_on();
  return count(*rule, Kind::Address, mark, exchange, [&] { return subject_of(*bytes); });
}

Verdict Guard::on_user(Exchange& exchange, std::string_view user) {
  const Rule* rule = rule_for(Kind::User);
  if (user.empty() || (!rule && !blocks_.any())) return go_on();
  const Wall now = exchange.started_wall;
  const std::string_view tenant = exchange.principal->tenant;
  const Mark mark = blocks_.marks().of_user(tenant, user);
  if (blocks_.any()) {
    if (const auto block = blocks_.find(mark, now)) return refuse(exchange, Kind::User, *block);
    const auto of_any = blocks_.find(blocks_.marks().of_user("", user), now);
    if (of_any) return refuse(exchange, Kind::User, *of_any);
  }
  if (!rule) return go_on();
  return count(*rule, Kind::User, mark, exchange, [&] { return subject_of_user(tenant, user); });
}

Verdict Guard::on_key(Exchange& exchange) {
  const Rule* rule = rule_for(Kind::Key);
  if (!rule && !blocks_.any()) return go_on();
  const Wall now = exchange.started_wall;
  const std::string_view name = exchange.principal->key_name;
  const Mark mark = blocks_.marks().of_key(name);
  if (const auto block = blocks_.find(mark, now)) return refuse(exchange, Kind::Key, *block);
  if (!rule) return go_on();
  return count(*rule, Kind::Key, mark, exchange, [&] { return subject_of_key(name); });
}

Verdict AddressStage::on_head(Exchange& exchange) {
  return concerns(exchange) ? guard_.on_address(exchange) : go_on();
}

// The user of a key is known before the request is read.
Verdict CallerStage::on_head(Exchange& exchange) {
  if (!concerns(exchange) || !exchange.principal) return go_on();
  if (auto verdict = guard_.on_key(exchange); !verdict) return verdict;
  return guard_.on_user(exchange, exchange.principal->user);
}

// The user that the application names.
Verdict CallerStage::on_request(Exchange& exchange) {
  if (!concerns(exchange) || !exchange.principal || !exchange.principal->user.empty()) {
    return go_on();
  }
  if (!guard_.looks_at_users()) return go_on();  // finding out who it is is not free
  return guard_.on_user(exchange, user_of(exchange));
}

}  // namespace causeway::anomalies
