// `causeway providers`: who answers, how the last hour went, and how each replica and key is now.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "app/client_verbs.h"
#include "core/verb_output.h"
#include "features/traffic/routing/feature.h"

namespace causeway::app {
namespace {

namespace json = boost::json;
using Rows = std::vector<std::vector<std::string>>;

std::string table_of_providers(const json::array& providers) {
  Rows rows{{"PROVIDER", "KIND", "ZONE", "STATE", "ATTEMPTS", "ERRORS", "BASE URL"}};
  for (const auto& entry : providers) {
    const auto& provider = entry.as_object();
    const auto& hour = provider.at("last_hour").as_object();
    rows.push_back({text_of(provider, "name"), text_of(provider, "kind"), text_of(provider, "zone"),
                    text_of(provider, "state"), text_of(hour, "attempts"), text_of(hour, "errors"),
                    text_of(provider, "base_url")});
  }
  return table_text(rows);
}

std::string with_unit(std::string number) { return number == "-" ? number : number + " ms"; }

std::string probe_text(const json::value& well) {
  if (!well.is_bool()) return "-";
  return well.as_bool() ? "well" : "not well";
}

void add_member(Rows& rows, const std::string& provider, const json::object& member) {
  const std::string name = text_of(member, "name");
  const std::string probe = probe_text(member.at("well"));
  const auto& targets = member.at("targets").as_array();
  // A provider with one member, of whom nothing is known, has its line in the other table.
  if (targets.empty() && (name != "-" || probe != "-")) {
    rows.push_back({provider, name, probe, "unused", "-", "-", "-", "-", "-", "-", "-"});
  }
  for (const auto& entry : targets) {
    const auto& target = entry.as_object();
    std::string state = text_of(target, "state");
    if (const std::string why = text_of(target, "why"); why != "-") state += " (" + why + ")";
    const std::string rest = text_of(target, "rest_ms");
    const std::string remark = routing::quota_remark(target);
    rows.push_back({text_of(target, "target"), name, probe, state, remark.empty() ? "-" : remark,
                    rest == "0" ? "-" : with_unit(rest), text_of(target, "in_flight"),
                    with_unit(text_of(target, "usual_ms")), text_of(target, "calls"),
                    text_of(target, "failures"), text_of(target, "opened")});
  }
}

std::string table_of_members(const json::array& providers) {
  Rows rows{{"TARGET", "MEMBER", "PROBE", "STATE", "REMARK", "REST", "BUSY", "USUAL", "CALLS",
             "FAILED", "OPENED"}};
  for (const auto& entry : providers) {
    const auto& provider = entry.as_object();
    for (const auto& member : provider.at("members").as_array()) {
      add_member(rows, text_of(provider, "name"), member.as_object());
    }
  }
  return rows.size() == 1 ? std::string() : "\n" + table_text(rows, 5);
}

// Nothing where something went wrong, which has been said.
std::optional<std::string> tables(AdminClient& admin, bool as_json) {
  const auto reply = admin.call(http::Method::Get, "/api/providers", "");
  const auto value = parsed(reply);
  if (!value) return std::nullopt;
  if (as_json) return reply->body + "\n";
  const auto& providers = value->at("providers").as_array();
  return table_of_providers(providers) + table_of_members(providers);
}

}  // namespace

int providers_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Who answers, how the last hour went, and how each replica and key is now.",
               "causeway providers");
  bool as_json = false, watch = false;
  app.add_flag("--json", as_json, "The reply as JSON");
  app.add_flag("--watch", watch, "Again every second, until Ctrl-C");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const bool redrawn = watch && !as_json && isatty(STDOUT_FILENO);
  while (true) {
    const auto text = tables(admin, as_json);
    if (!text) return 1;
    if (redrawn) std::fputs("\x1b[H\x1b[2J", stdout);
    std::fputs(text->c_str(), stdout);
    if (!watch) return 0;
    if (std::fflush(stdout) != 0) return 0;  // nobody reads any more
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace causeway::app
