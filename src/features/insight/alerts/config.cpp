#include "features/insight/alerts/config.h"

#include <algorithm>
#include <cstdio>

#include "platform/config/checks.h"
#include "platform/text/ascii.h"

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

// In the unit of the metric: microseconds, a share, an amount, a number, days.
std::optional<double> limit_of(Metric metric, std::string_view text) {
  switch (metric) {
    case Metric::Latency:
    case Metric::FirstToken:
    case Metric::Queue:
    case Metric::LoopLag: {
      const auto time = config::parse_duration(text);
      if (!time) return std::nullopt;
      return std::chrono::duration<double, std::micro>(*time).count();
    }
    case Metric::Errors:
    case Metric::ProviderErrors: {
      if (!text.ends_with('%')) return std::nullopt;
      const auto percent = text::parse_double(text.substr(0, text.size() - 1));
      if (!percent || *percent < 0 || *percent > 100) return std::nullopt;
      return *percent / 100;
    }
    case Metric::Retirement: {
      const auto ahead = config::parse_duration(text);
      if (!ahead) return std::nullopt;
      return std::chrono::duration<double, std::ratio<86400>>(*ahead).count();
    }
    case Metric::Spend:
    case Metric::FailedAuth: {
      const auto number = text::parse_double(text);
      if (!number || *number < 0) return std::nullopt;
      return *number;
    }
    case Metric::ModelChange:
    case Metric::Budget:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view form_of(Metric metric) {
  switch (metric) {
    case Metric::Latency:
    case Metric::FirstToken:
    case Metric::Queue:
    case Metric::LoopLag:
      return "a time, e.g. 5s";
    case Metric::Errors:
    case Metric::ProviderErrors:
      return "a share, e.g. 5%";
    case Metric::Retirement:
      return "how long before, e.g. 30d";
    case Metric::Spend:
      return "an amount an hour, e.g. 20";
    case Metric::FailedAuth:
      return "a number a minute, e.g. 30";
    case Metric::ModelChange:
    case Metric::Budget:
      break;
  }
  return "left out";
}

bool needs_limit(const Rule& rule) {
  return rule.when == Metric::FailedAuth || rule.when == Metric::Retirement ||
         rule.when == Metric::LoopLag ||
         (rule.when != Metric::ModelChange && rule.when != Metric::Budget && rule.rise == 0);
}

void check_rule(const Rule& rule, config::Position at, config::Problems& problems) {
  rule.limit = 0;
  if (!rule.above.empty()) {
    const auto limit = limit_of(rule.when, rule.above);
    if (!limit) problems.add(at, "`above` must be " + std::string(form_of(rule.when)));
    rule.limit = limit.value_or(0);
  } else if (needs_limit(rule)) {
    problems.add(at, "`above` must be there: " + std::string(form_of(rule.when)));
  }
  const bool narrowed = rule.per != Per::All || rule.rise != 0 || !rule.targets.empty() ||
                        !rule.models.empty() || !rule.keys.empty() || !rule.error_classes.empty();
  if (rule.when == Metric::LoopLag && narrowed) {
    problems.add(at,
                 "`loop_lag` is of the whole process, and has no usual value: leave out `per`, "
                 "`rise`, `targets`, `models`, `keys` and `error_classes`");
  }
}

void check_receiver(const Receiver& c, config::Position at, config::Problems& problems) {
  if (c.kind == Kind::Email) {
    if (!c.server.starts_with("smtp://") && !c.server.starts_with("smtps://")) {
      problems.add(at, "`server` must be smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT");
    }
    if (c.from.empty() || c.to.empty()) problems.add(at, "`from` and `to` must be there");
    return;
  }
  if (const std::string why = config::check_url(std::string(c.url.reveal())); !why.empty()) {
    problems.add(at, "`url` " + why);
  }
}

// What would end a line of a mail's head, or begin another address.
std::string wrong_address(const std::string& text) {
  const bool good = text.find('@') != std::string::npos && text.size() <= 254 &&
                    std::ranges::all_of(text, [](char c) {
                      return c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != ',' && c != '"';
                    });
  return good ? "" : "must be an address like ops@example.org";
}

std::string wrong_day(const std::string& text) {
  return parse_day(text) ? "" : "must be a day, e.g. 2027-01-31";
}

Rule built_in(std::string name, Metric when, std::string above, double rise, Per per,
              Severity severity) {
  Rule rule;
  rule.name = std::move(name);
  rule.when = when;
  rule.above = std::move(above);
  rule.rise = rise;
  rule.per = per;
  rule.severity = severity;
  rule.limit = rule.above.empty() ? 0 : limit_of(when, rule.above).value_or(0);
  return rule;
}

}  // namespace

bool Rule::operator==(const Rule& o) const {
  return name == o.name && when == o.when && above == o.above && rise == o.rise && per == o.per &&
         targets == o.targets && models == o.models && keys == o.keys &&
         error_classes == o.error_classes && requests == o.requests && hold == o.hold &&
         clear == o.clear && severity == o.severity && receivers == o.receivers;
}

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
  int year = 0, used = 0;
  unsigned month = 0, day = 0;
  const std::string zoned(text);
  if (std::sscanf(zoned.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3 || used != 10 ||
      text.size() != 10) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::vector<Rule> all_rules(const AlertSettings& settings) {
  std::vector<Rule> rules = settings.rules;
  if (settings.built_in == BuiltIn::Off) return rules;
  const auto add = [&](Rule rule) {
    const bool taken =
        std::ranges::any_of(settings.rules, [&](const Rule& own) { return own.name == rule.name; });
    if (!taken) rules.push_back(std::move(rule));
  };
  using enum Metric;
  add(built_in("slow_answers", Latency, "2s", 2, Per::Provider, Severity::Page));
  add(built_in("slow_first_token", FirstToken, "2s", 2, Per::Provider, Severity::Ticket));
  add(built_in("failing_requests", Errors, "5%", 0, Per::All, Severity::Page));
  add(built_in("failing_provider", ProviderErrors, "20%", 0, Per::Provider, Severity::Ticket));
  add(built_in("long_queue", Queue, "5s", 0, Per::Provider, Severity::Ticket));
  add(built_in("spend_rises", Spend, "1", 3, Per::All, Severity::Ticket));
  add(built_in("refused_keys", FailedAuth, "60", 0, Per::All, Severity::Ticket));
  add(built_in("model_changed", ModelChange, "", 0, Per::All, Severity::Ticket));
  add(built_in("model_retires", Retirement, "30d", 0, Per::All, Severity::Ticket));
  add(built_in("late_loops", LoopLag, "100ms", 0, Per::All, Severity::Ticket));
  add(built_in("budget_nearly_spent", Budget, "", 0, Per::All, Severity::Ticket));
  for (Rule& rule : rules) {
    if (rule.name == "spend_rises") rule.hold = 5min;
  }
  return rules;
}

void describe(config::Fields& f, Rule& c) {
  f.position(c.at);
  f.field("name", c.name, "What it is called in messages; that of a built-in rule replaces it.")
      .required()
      .check(config::check_name);
  f.field("when", c.when, "What it looks at (docs/alerts.md).").required();
  f.field(
      "above", c.above,
      "The limit: a time (5s), a share (5%), an amount an hour, a number a minute, days ahead.");
  f.field("rise", c.rise,
          "Times the baseline; with `above` both must hold. 0: only `above` counts.")
      .range(0.0, 1e6);
  f.field("per", c.per, "Each of these has a state and an alert of its own.");
  f.field("targets", c.targets, "Only these, PROVIDER/MODEL as patterns.").or_single();
  f.field("models", c.models, "Only these, as patterns.").or_single();
  f.field("keys", c.keys, "Only these, ids as patterns.").or_single();
  f.field("error_classes", c.error_classes,
          "Only these classes of errors (docs/errors.md); empty: all but the callers' own.")
      .or_single();
  f.field("requests", c.requests, "With fewer in the window nothing is said.").range(1, 1'000'000);
  f.field("for", c.hold, "So long before it fires.").range(0ms, 24h);
  f.field("clear", c.clear, "Well for so long before it ends.").range(0ms, 24h);
  f.field("severity", c.severity, "How much it hurts.");
  f.field("receivers", c.receivers, "Who is told; empty: all.").or_single();
  f.check<Rule>(c, check_rule);
}

void describe(config::Fields& f, Receiver& c) {
  f.position(c.at);
  f.field("kind", c.kind, "What it is.").required();
  f.field("url", c.url, "Of a webhook, or of Slack's.");
  f.field("secret", c.secret, "Of a webhook: signs what is sent (HMAC-SHA256).");
  f.field("server", c.server, "Of email: smtp://HOST:587 (with STARTTLS) or smtps://HOST:465.");
  f.field("user", c.user, "Of email.");
  f.field("password", c.password, "Of email.");
  f.field("from", c.from, "Of email.").check([](const std::string& text) {
    return text.empty() ? "" : wrong_address(text);
  });
  f.field("to", c.to, "Of email.").or_single().check(wrong_address);
  f.field("ca_file", c.ca_file, "Certificates to trust instead of the system's.");
  f.field("deadline", c.deadline, "Of one try.").range(100ms, 2min);
  f.field("tries", c.tries, "Then the message is given up.").range(1, 20);
  f.check<Receiver>(c, check_receiver);
}

void describe(config::Fields& f, AlertSettings& c) {
  f.field("built_in", c.built_in, "Whether the rules that come with it are there.");
  f.field("step", c.step, "How often rules are looked at.").range(100ms, 1min);
  f.field("window", c.window, "What rules look at.").range(1s, 1h);
  f.field("baseline", c.baseline, "What came before it, with which that is compared.")
      .range(2s, 24h);
  f.field("group_wait", c.group_wait, "Alerts that begin or end together go into one message.")
      .range(0ms, 10min);
  f.field("repeat", c.repeat, "How often a message says again what goes on.").range(1s, 7 * 24h);
  f.field("retry", c.retry, "Wait after a send that failed; it doubles each time.")
      .range(10ms, 5min);
  f.field("rules", c.rules, "Rules of one's own.");
  f.field("receivers", c.receivers, "Who is told, beside log and console: by name.")
      .names(config::check_name);
  f.field("retires", c.retires,
          "The day after which a model is not served any more, by PROVIDER/MODEL; wins over the "
          "catalogue.")
      .check(wrong_day);
  f.check<AlertSettings>(c, [](const AlertSettings& s, config::Position at, config::Problems& p) {
    if (s.window < s.step) p.add(at, "`window` must not be shorter than `step`");
    if (s.window > 120 * s.step) p.add(at, "`window` must not be longer than 120 steps");
    if (s.baseline > 120 * s.window) p.add(at, "`baseline` must not be longer than 120 windows");
    if (s.receivers.size() > 16) p.add(at, "at most 16 receivers");
    if (s.rules.size() > 100) p.add(at, "at most 100 rules");
    for (const Rule& rule : s.rules) {
      for (const std::string& name : rule.receivers) {
        if (!s.receivers.find(name)) {
          p.add(rule.at, "no receiver \"" + name + "\"",
                config::nearest(name, s.receivers.names()));
        }
      }
    }
  });
}

}  // namespace causeway::alerts
