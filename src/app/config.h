// causeway.yaml as a struct: what the reader fills, the schema and the reference page are made
// from. Sections of policies and kinds of providers belong to those who own them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/target.h"
#include "features/access/keys/key.h"
#include "features/insight/alerts/config.h"
#include "features/insight/otlp/config.h"
#include "features/insight/traces/config.h"
#include "features/traffic/anomalies/config.h"
#include "features/traffic/cache/config.h"
#include "features/traffic/limits/config.h"
#include "features/traffic/routing/condition.h"
#include "features/traffic/routing/config.h"
#include "platform/base/secret.h"
#include "platform/config/config.h"

namespace causeway::app {

struct ServerLimitsConfig {
  config::Bytes body{32 * config::kMiB};
  config::Bytes upload{100 * config::kMiB};
  config::Bytes answer{32 * config::kMiB};
  config::Bytes head{32 * config::kKiB};
  std::uint32_t fields = 64;
  config::Bytes field{16 * config::kKiB};
  config::Bytes buffered{256 * config::kMiB};
  std::uint32_t connections = 20'000;
  std::uint32_t exchanges = 20'000;
};

struct ServerTimeoutsConfig {
  std::chrono::milliseconds header{10'000};
  std::chrono::milliseconds body{30'000};
  std::chrono::milliseconds write{30'000};
  std::chrono::milliseconds keep_alive{75'000};
};

struct ServerConfig {
  config::Located<std::string> listen{"127.0.0.1:8080"};
  config::Located<std::string> admin{"127.0.0.1:8081"};
  std::string data = "./causeway-data";
  bool plain_text_beyond_loopback = false;
  std::vector<config::Located<std::string>> trusted_proxies;
  std::uint32_t threads = 0;  // 0 = one per processor
  std::chrono::milliseconds drain{30'000};
  ServerLimitsConfig limits;
  ServerTimeoutsConfig timeouts;
  Secret master_key;
  std::vector<Secret> previous_master_keys;
};

struct LogConfig {
  std::string level = "info";
  std::string format = "text";
  std::string access = "auto";
  config::Bytes access_size{100 * 1000 * 1000};
  std::uint32_t access_files = 5;
};

struct TargetConfig {
  std::string target;  // "provider/model"
  double weight = 1;
  config::Position at;
};

struct RuleConfig {
  std::string name;
  Condition when;
  Strategy strategy = Strategy::Fallback;
  Escalation escalate;
  std::vector<config::Located<std::string>> targets;
  config::Position at;
};

struct ModelConfig {
  Strategy strategy = Strategy::Fallback;
  Escalation escalate;
  std::vector<config::Located<std::string>> targets;
  config::Map<double> weights;
  config::Map<std::uint32_t> context;
  config::Map<std::vector<Need>> without;
  std::vector<RuleConfig> rules;
};

/// Those of the model and of its rules, each once.
std::vector<config::Located<std::string>> all_targets(const ModelConfig& model);

struct KeyConfig {
  std::string name;
  Secret secret;
  std::string kind = "application";
  std::string tenant = "default";
  std::string user;
  std::vector<std::string> roles;
  config::Map<std::string> attributes;
  std::vector<std::string> models{"*"};
  config::Position at;
};

struct MatchConfig {
  std::vector<std::string> tenants, keys, roles, models;
};

struct PolicyConfig {
  std::string name;
  MatchConfig match;
  config::Sections sections;
  config::Position at;
};

struct PriceConfig {
  std::optional<config::Money> input, output, cache_read, cache_write;  // per million tokens
};

struct PricesConfig {
  std::string currency = "USD";
  config::Map<PriceConfig> models;      // by target "provider/model" or by model name
  config::Map<config::Money> per_hour;  // of self-hosted providers, by provider
};

struct SharedStateConfig {
  Secret redis;  // a URL, since it may hold a password; empty = off
  Secret key;    // what answers are sealed with that replicas share; empty = they share none
  std::string ca_file;
  std::chrono::milliseconds timeout{50};
  std::uint32_t replicas = 1;
  config::Position at;
};

struct AppConfig {
  ServerConfig server;
  LogConfig log;
  config::Map<config::Variant> providers;
  config::Map<ModelConfig> models;
  std::vector<KeyConfig> keys;
  std::vector<PolicyConfig> policies;
  PricesConfig prices;
  routing::BreakerSettings breaker;
  limits::LimitTable limits;
  anomalies::AnomalySettings anomalies;
  cache::CacheLimits cache;
  SharedStateConfig shared_state;
  traces::KeepSettings traces;
  otlp::OtlpSettings otlp;
  alerts::AlertSettings alerts;
};

void describe(config::Fields& f, ServerLimitsConfig& c);
void describe(config::Fields& f, ServerTimeoutsConfig& c);
void describe(config::Fields& f, ServerConfig& c);
void describe(config::Fields& f, LogConfig& c);
void describe(config::Fields& f, RuleConfig& c);
void describe(config::Fields& f, ModelConfig& c);
void describe(config::Fields& f, KeyConfig& c);
void describe(config::Fields& f, MatchConfig& c);
void describe(config::Fields& f, PolicyConfig& c);
void describe(config::Fields& f, PriceConfig& c);
void describe(config::Fields& f, PricesConfig& c);
void describe(config::Fields& f, SharedStateConfig& c);
void describe(config::Fields& f, AppConfig& c);

}  // namespace causeway::app

namespace causeway {

inline config::Names<Strategy> names_of(Strategy) {
  config::Names<Strategy> names;
  for (const auto strategy :
       {Strategy::Fallback, Strategy::Weighted, Strategy::LeastBusy, Strategy::Fastest,
        Strategy::Cheapest, Strategy::Sticky, Strategy::Prefix}) {
    names.emplace_back(to_string(strategy), strategy);
  }
  return names;
}

}  // namespace causeway
