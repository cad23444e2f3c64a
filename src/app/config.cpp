#include "app/config.h"

#include <algorithm>
#include <set>

#include "app/listen_address.h"
#include "platform/redis/settings.h"

namespace causeway::app {
namespace {

using namespace std::chrono_literals;

std::string wrong_address(const std::string& text) {
  return parse_listen(text) ? "" : "must be IP:port, e.g. 127.0.0.1:8080 or [::1]:8080";
}

std::string wrong_name(const std::string& name) {
  if (name.empty() || name.size() > 100) return "must have 1 to 100 characters";
  if (name.find('/') != std::string::npos) return "must not have a `/`";
  return "";
}

std::string wrong_model_name(const std::string& name) {
  return name.empty() || name.size() > 96 ? "must have 1 to 96 characters" : "";
}

// Not a measure of how well it was drawn: finds what was only typed to be long enough.
bool hard_to_guess(std::string_view secret) {
  constexpr std::size_t kFewest = 32, kFewestKinds = 8;
  return secret.size() >= kFewest &&
         std::set<char>(secret.begin(), secret.end()).size() >= kFewestKinds;
}

}  // namespace

void describe(config::Fields& f, ServerLimitsConfig& c) {
  f.field("body", c.body, "Largest request body.")
      .range(config::Bytes{1024}, config::Bytes{1 * config::kGiB});
  f.field("upload", c.upload,
          "Largest form with files, and largest request that is passed through; a form over 64 KiB "
          "stands on the disk, in server.data, while it is passed on.")
      .range(config::Bytes{1024}, config::Bytes{16 * config::kGiB});
  f.field("answer", c.answer, "Largest answer of a provider that is not streamed; above: 502.")
      .range(config::Bytes{1024}, config::Bytes{1 * config::kGiB});
  f.field("head", c.head, "Largest request head.")
      .range(config::Bytes{1024}, config::Bytes{1 * config::kMiB});
  f.field("fields", c.fields, "Most fields of a request head.").range(8, 1024);
  f.field("field", c.field, "Largest field of a request head.")
      .range(config::Bytes{256}, config::Bytes{1 * config::kMiB});
  f.field("buffered", c.buffered,
          "Bodies and answers that one event loop holds in memory; above: 503.");
  f.field("connections", c.connections, "Connections of one event loop.").range(1, 1'000'000);
  f.field("exchanges", c.exchanges, "Requests worked on at once; above: 503.").range(1, 1'000'000);
}

void describe(config::Fields& f, ServerTimeoutsConfig& c) {
  f.field("header", c.header, "From the first byte of a request's head to its last.")
      .range(10ms, 10min);
  f.field("body", c.body, "Between two pieces of a request's body.").range(10ms, 10min);
  f.field("write", c.write, "For a caller that does not read its answer.").range(10ms, 1h);
  f.field("keep_alive", c.keep_alive, "For an idle connection.").range(1s, 24h);
}

void describe(config::Fields& f, ServerConfig& c) {
  f.field("listen", c.listen, "Where applications connect: IP:port; port 0 picks a free one.")
      .check(wrong_address);
  f.field("admin", c.admin, "Where operators connect (API, metrics, health): IP:port.")
      .check(wrong_address);
  f.field("data", c.data, "Folder of everything that is kept. One process at a time.");
  f.field(
      "plain_text_beyond_loopback", c.plain_text_beyond_loopback,
      "Must be true to listen on an address beyond loopback: keys and prompts cross the network "
      "unencrypted then, unless something in front ends TLS.");
  f.field("trusted_proxies", c.trusted_proxies,
          "Addresses or networks (10.0.0.0/8) of proxies in front: who the caller is they say in "
          "X-Forwarded-For. Of others that field means nothing.");
  f.field("threads", c.threads, "Event loops; 0 = one per processor.").range(0, 256);
  f.field("drain", c.drain, "How long running requests may go on after SIGTERM.").range(0s, 1h);
  f.field("limits", c.limits, "Bounds on what callers send.");
  f.field("timeouts", c.timeouts, "Bounds on how slowly callers send and read.");
  f.field(
      "master_key", c.master_key,
      "Encrypts what holds people's words at rest; at least 32 characters. Empty: a file in the "
      "data folder, made at the first start.");
  f.field(
      "previous_master_keys", c.previous_master_keys,
      "Those that master_key replaces: what they encrypted is taken over at the next start, after "
      "which they can go.");
}

void describe(config::Fields& f, LogConfig& c) {
  f.field("level", c.level, "What the program says of itself on stderr.")
      .one_of({"debug", "info", "warn", "error"});
  f.field("format", c.format, "Lines for people, or JSON.").one_of({"text", "json"});
  f.field(
      "access", c.access,
      "One JSON line per request: `stdout`, `stderr`, `off`, or a file, which is rotated by size "
      "and opened anew on SIGHUP. `auto`: `stdout`, or `access.log` in the data folder where "
      "stdout "
      "is a terminal.");
  f.field("access_size", c.access_size, "Size at which the file is rotated.");
  f.field("access_files", c.access_files, "Rotated files that are kept.").range(0, 1000);
}

void describe(config::Fields& f, RuleConfig& c) {
  f.position(c.at);
  f.field("name", c.name, "What it is called in traces and where it is explained.").required();
  f.field("when", c.when, "All of it must hold.").required();
  f.field("strategy", c.strategy, "As of the model.");
  f.field("escalate", c.escalate, "As of the model, whose own does not hold for these targets.");
  f.field("targets", c.targets,
          "PROVIDER/MODEL, in order. No others are tried, also where none of these answers.")
      .required()
      .or_single();
}

void describe(config::Fields& f, ModelConfig& c) {
  f.field("strategy", c.strategy,
          "Which target is tried first; the others stand behind it as fallbacks. `fallback`: as "
          "listed. `weighted`: drawn by weight. `least_busy`: of two drawn by weight the one with "
          "less to do. `fastest`: the least time to an answer, as measured lately. `cheapest`: by "
          "price. `sticky`: the same one for the same user. `prefix`: the same one for prompts "
          "that begin alike.");
  f.field("escalate", c.escalate,
          "The first target's answer is given only where the model was sure enough of it; else the "
          "next target is asked (docs/routing.md).");
  f.field("targets", c.targets, "PROVIDER/MODEL, in order.").required().or_single();
  f.field("weights", c.weights, "By target; 1 where none is given. 0 = only as a fallback.")
      .range(0.0, 1e6);
  f.field("context", c.context,
          "By target: tokens that it takes, where the catalogue does not know. A prompt that is "
          "longer goes to the others first.")
      .range(1, 1'000'000'000);
  f.field("without", c.without, "By target: what it cannot do. Who needs that goes to the others.");
  f.field("rules", c.rules,
          "Requests that go other ways: the first rule that holds decides (docs/routing.md).");
}

std::vector<config::Located<std::string>> all_targets(const ModelConfig& model) {
  std::vector<config::Located<std::string>> all;
  const auto add = [&](const config::Located<std::string>& target) {
    const auto known = [&](const auto& one) { return *one == *target; };
    if (std::ranges::none_of(all, known)) all.push_back(target);
  };
  for (const auto& target : model.targets) add(target);
  for (const RuleConfig& rule : model.rules) {
    for (const auto& target : rule.targets) add(target);
  }
  return all;
}

void describe(config::Fields& f, KeyConfig& c) {
  f.position(c.at);
  f.field("name", c.name, "What the key is called in usage and logs.").required();
  f.field("secret", c.secret, "What callers send; at least 16 characters, better from ${ENV}.")
      .required();
  f.field("kind", c.kind, "What it opens: the data port, or the admin port.")
      .one_of({"application", "admin", "admin_read_only"});
  f.field("tenant", c.tenant, "Whose it is.");
  f.field("user", c.user, "Which person or service, where it is one.");
  f.field("roles", c.roles, "For policies.").or_single();
  f.field("attributes", c.attributes, "Carried along; nothing matches them yet.");
  f.field("models", c.models, "Models that it may ask for; `*` stands for any text.").or_single();
}

void describe(config::Fields& f, MatchConfig& c) {
  f.field("tenants", c.tenants, "Tenants, as patterns; empty = all.").or_single();
  f.field("keys", c.keys, "Names or ids of keys, as patterns; empty = all.").or_single();
  f.field("roles", c.roles, "Roles, as patterns, one of which the caller has; empty = all.")
      .or_single();
  f.field("models", c.models, "Models, as patterns; empty = all.").or_single();
}

void describe(config::Fields& f, PolicyConfig& c) {
  f.position(c.at);
  f.field("name", c.name, "What it is called in traces and errors.").required();
  f.field("match", c.match, "To whom and what it applies; left out = to everything.");
  f.sections(c.sections, "policy");
}

void describe(config::Fields& f, PriceConfig& c) {
  f.field("input", c.input, "Per million input tokens.");
  f.field("output", c.output, "Per million output tokens.");
  f.field("cache_read", c.cache_read, "Per million tokens read from the provider's cache.");
  f.field("cache_write", c.cache_write, "Per million tokens written to the provider's cache.");
}

void describe(config::Fields& f, PricesConfig& c) {
  f.field("currency", c.currency, "What the amounts are in; shown, never converted.");
  f.field("models", c.models,
          "By PROVIDER/MODEL of a target, or by the name under `models`; they win over the "
          "catalogue.");
  f.field("per_hour", c.per_hour,
          "By provider: what a self-hosted one costs an hour, used or not.");
}

void describe(config::Fields& f, SharedStateConfig& c) {
  f.position(c.at);
  f.field("redis", c.redis,
          "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// for TLS, or unix:///PATH. "
          "Empty: each replica is for itself.");
  f.field(
      "key", c.key,
      "A secret of 32 characters or more, the same on all replicas (`openssl rand -base64 32`): "
      "kept answers are shared through Redis, sealed with it. Empty: they are not shared.");
  f.field("ca_file", c.ca_file, "Whom TLS trusts, in the place of the system's authorities (PEM).");
  f.field("timeout", c.timeout, "How long a request waits for Redis, at most.").range(1ms, 5s);
  f.field("replicas", c.replicas,
          "How many replicas there are at least: each has that part of a limit while Redis has not "
          "said how many it knows.")
      .range(1u, 10'000u);
  f.check<SharedStateConfig>(c, [](const SharedStateConfig& state, config::Position at,
                                   config::Problems& problems) {
    if (!state.key.empty() && !hard_to_guess(state.key.reveal())) {
      problems.add(at,
                   "key: must be a secret that nobody guesses, of 32 characters or more (openssl "
                   "rand -base64 32).");
    }
    if (state.redis.empty()) return;
    const auto url = redis::parse_url(state.redis.reveal());
    if (!url) problems.add(at, "redis: " + url.error().message);
  });
}

void describe(config::Fields& f, AppConfig& c) {
  f.field("server", c.server, "Addresses, data folder, limits.");
  f.field("log", c.log, "What is written about the program and its requests.");
  f.field("providers", c.providers, "Who answers: by a name of your own.")
      .of("provider")
      .names(wrong_name);
  f.field("models", c.models, "What applications ask for: by name.").names(wrong_model_name);
  f.field("keys", c.keys, "Keys of this file, beside those made with `causeway keys create`.");
  f.field(
      "policies", c.policies,
      "Settings by caller and model. Per section, the first matching policy that has it decides.");
  f.field("prices", c.prices, "What tokens cost, where the catalogue does not know or is wrong.");
  f.field("breaker", c.breaker, "When a target that fails is left alone, and for how long.");
  f.field("limits", c.limits, "How many are counted (docs/limits.md).");
  f.field("anomalies", c.anomalies,
          "Who asks far more than is usual is blocked for a while (docs/blocks.md).");
  f.field("cache", c.cache, "How much room answers have that are kept (docs/cache.md).");
  f.field("shared_state", c.shared_state,
          "What replicas count together, in Redis (docs/shared-state.md).");
  f.field("traces", c.traces, "How long and how much of what is recorded is kept.");
  f.field("otlp", c.otlp, "Where spans and metrics are sent, in OpenTelemetry's protocol.");
  f.field("alerts", c.alerts, "What is watched, and who is told (docs/alerts.md).");
}

}  // namespace causeway::app
