// Top-level section `alerts`: windows, rules, receivers, dates at which models end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/base/secret.h"
#include "platform/config/config.h"

namespace causeway::alerts {

/// What a rule looks at.
enum class Metric : std::uint8_t {
  Latency,
  FirstToken,
  Errors,
  ProviderErrors,
  Spend,
  Queue,
  FailedAuth,
  ModelChange,
  Retirement,
  Budget,
  LoopLag,
};
inline config::Names<Metric> names_of(Metric) {
  return {{"latency", Metric::Latency},
          {"first_token", Metric::FirstToken},
          {"errors", Metric::Errors},
          {"provider_errors", Metric::ProviderErrors},
          {"spend", Metric::Spend},
          {"queue", Metric::Queue},
          {"failed_auth", Metric::FailedAuth},
          {"model_change", Metric::ModelChange},
          {"retirement", Metric::Retirement},
          {"budget", Metric::Budget},
          {"loop_lag", Metric::LoopLag}};
}

/// Of what a rule has a state each.
enum class Per : std::uint8_t { All, Provider, Model, Key };
inline config::Names<Per> names_of(Per) {
  return {{"all", Per::All}, {"provider", Per::Provider}, {"model", Per::Model}, {"key", Per::Key}};
}

enum class Severity : std::uint8_t { Info, Ticket, Page };
inline config::Names<Severity> names_of(Severity) {
  return {{"info", Severity::Info}, {"ticket", Severity::Ticket}, {"page", Severity::Page}};
}

enum class BuiltIn : std::uint8_t { Off, On };
inline config::Names<BuiltIn> names_of(BuiltIn) {
  return {{"off", BuiltIn::Off}, {"on", BuiltIn::On}};
}

struct Rule {
  std::string name;
  Metric when = Metric::Latency;
  std::string above;  // 5s, 5%, 20: as the metric has it; empty = only `rise`
  double rise = 0;    // times the baseline; 0 = only `above`
  Per per = Per::All;
  std::vector<std::string> targets, models, keys;  // patterns; empty = all
  std::vector<std::string> error_classes;          // of errors; empty = all that are no caller's
  std::uint32_t requests = 10;                     // in the window; fewer say nothing
  std::chrono::milliseconds hold{10'000};          // `for`: so long before it fires
  std::chrono::milliseconds clear{60'000};         // well for so long before it ends
  Severity severity = Severity::Ticket;
  std::vector<std::string> receivers;  // empty = all
  config::Position at;
  mutable double limit = 0;  // `above` as a number, in the metric's own unit

  bool operator==(const Rule& other) const;
};

enum class Kind : std::uint8_t { Webhook, Slack, Email };
inline config::Names<Kind> names_of(Kind) {
  return {{"webhook", Kind::Webhook}, {"slack", Kind::Slack}, {"email", Kind::Email}};
}

struct Receiver {
  Kind kind = Kind::Webhook;
  Secret url;          // of webhook and slack: who knows Slack's may write there
  Secret secret;       // signs what a webhook gets
  std::string server;  // of email: smtp://host:587 (STARTTLS), smtps://host:465
  std::string user;
  Secret password;
  std::string from;
  std::vector<std::string> to;
  std::string ca_file;
  std::chrono::milliseconds deadline{10'000};  // of one try
  std::uint32_t tries = 6;
  config::Position at;
};

struct AlertSettings {
  BuiltIn built_in = BuiltIn::On;
  std::chrono::milliseconds step{2'000};
  std::chrono::milliseconds window{60'000};
  std::chrono::milliseconds baseline{30 * 60'000};
  std::chrono::milliseconds group_wait{2'000};
  std::chrono::milliseconds repeat{4 * 3'600'000};
  std::chrono::milliseconds retry{2'000};
  std::vector<Rule> rules;
  config::Map<Receiver> receivers;
  config::Map<std::string> retires;
};

void describe(config::Fields& f, Rule& c);
void describe(config::Fields& f, Receiver& c);
void describe(config::Fields& f, AlertSettings& c);

/// `rules` and, where they are on, the built-in ones that have no rule of the same name beside
/// them.
std::vector<Rule> all_rules(const AlertSettings& settings);

/// Days since 1970 of "2027-01-31".
std::optional<std::chrono::sys_days> parse_day(std::string_view text);

}  // namespace causeway::alerts
