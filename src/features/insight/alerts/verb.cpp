// `causeway alerts`: what fires and why, silences, test messages.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/insight/alerts/feature.h"

namespace causeway::alerts {
namespace {

namespace bj = boost::json;

std::string text_of(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : std::string(value->as_string());
  return bj::serialize(*value);
}

void print_alert(const bj::value& alert) {
  std::printf("%s  [%s] %s  since %s\n", text_of(alert, "id").c_str(),
              text_of(alert, "severity").c_str(), text_of(alert, "rule").c_str(),
              text_of(alert, "since").c_str());
  std::printf("  %s\n", text_of(alert, "summary").c_str());
  for (const bj::value& cause : alert.at("cause").as_array()) {
    std::printf("  cause: %s", text_of(cause, "text").c_str());
    const double share = cause.at("share").to_number<double>();
    if (share > 0) std::printf(" (%.0f %% of it)", share * 100);
    std::printf("\n");
  }
  std::printf("  do: %s\n", text_of(alert, "advice").c_str());
  if (const std::string until = text_of(alert, "silenced_until"); until != "-") {
    std::printf("  silenced until %s\n", until.c_str());
  }
}

int print_all(AdminClient& admin, bool as_json) {
  const auto answer = ask_admin(admin, http::Method::Get, "/api/alerts");
  if (!answer) return answer.error();
  if (as_json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  const auto& value = answer->object;
  const auto& active = value.at("active").as_array();
  if (active.empty()) std::printf("Nothing fires.\n");
  for (const bj::value& alert : active) print_alert(alert);
  std::vector<std::vector<std::string>> recent{{"ENDED", "SINCE", "RULE", "SUMMARY"}};
  for (const bj::value& alert : value.at("recent").as_array()) {
    if (recent.size() > 10) break;
    recent.push_back({text_of(alert, "ended"), text_of(alert, "since"), text_of(alert, "rule"),
                      text_of(alert, "summary")});
  }
  if (recent.size() > 1) std::printf("\n%s", table_text(recent).c_str());
  std::vector<std::vector<std::string>> silences{{"SILENCE", "RULE", "ABOUT", "UNTIL", "NOTE"}};
  for (const bj::value& silence : value.at("silences").as_array()) {
    silences.push_back({text_of(silence, "id"), text_of(silence, "rule"),
                        text_of(silence.at("labels"), "group"), text_of(silence, "until"),
                        text_of(silence, "note")});
  }
  if (silences.size() > 1) std::printf("\n%s", table_text(silences).c_str());
  std::vector<std::vector<std::string>> rules{{"RULE", "STATE", "CONDITION"}};
  for (const bj::value& rule : value.at("rules").as_array()) {
    rules.push_back({text_of(rule, "name"), text_of(rule, "state"), text_of(rule, "condition")});
  }
  std::printf("\n%s", table_text(rules).c_str());
  return 0;
}

int say(AdminClient& admin, http::Method method, const std::string& path, const bj::object& body,
        const char* done) {
  const auto answer =
      ask_admin(admin, method, path, body.empty() ? std::string() : bj::serialize(body));
  if (!answer) return answer.error();
  const std::string id = text_of(answer->object, "id");
  std::printf("%s%s%s\n", done, id == "-" ? "" : ": ", id == "-" ? "" : id.c_str());
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("What the running gateway's alert rules see, why, and what to do about it.",
               "causeway alerts");
  bool json = false;
  std::string what, time = "2h", note, id, receiver;
  app.add_flag("--json", json, "print the reply as JSON");
  auto* silence = app.add_subcommand("silence", "tell nobody of a rule's alerts, or of one alert");
  silence->add_option("RULE", what, "a rule's name (`*` stands for any text), or an alert's id")
      ->required();
  silence->add_option("--for", time, "how long: 30m, 2h, 7d; default 2h");
  silence->add_option("--note", note, "why");
  auto* unsilence = app.add_subcommand("unsilence", "end a silence");
  unsilence->add_option("ID", id, "of the silence")->required();
  auto* test = app.add_subcommand("test", "send a test message");
  test->add_option("RECEIVER", receiver, "its name in the configuration")->required();
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  using http::Method;
  if (silence->parsed()) {
    bj::object body{{"for", time}, {"note", note}};
    body[what.starts_with("al_") ? "alert" : "rule"] = what;
    return say(admin, Method::Post, "/api/alerts/silences", body, "silenced");
  }
  if (unsilence->parsed()) {
    return say(admin, Method::Delete, "/api/alerts/silences/" + url_encoded(id), {}, "ended");
  }
  if (test->parsed()) {
    return say(admin, Method::Post, "/api/alerts/test", {{"receiver", receiver}},
               "queued; the log and /api/alerts say whether it arrived");
  }
  return print_all(admin, json);
}

}  // namespace

Verb alerts_verb() {
  return {"alerts", "What fires and why: list, silence, test a receiver.", run};
}

}  // namespace causeway::alerts
