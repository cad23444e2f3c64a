// `causeway engine …`: the models that Causeway runs itself.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "app/client_verbs.h"
#include "core/verb_output.h"

namespace causeway::app {
namespace {

namespace json = boost::json;

// Why it is as it is: the reason, or how much of the file is there.
std::string remark_on(const json::object& model) {
  if (text_of(model, "state") != "fetching") return text_of(model, "reason");
  const auto megabytes = [&](const char* name) {
    const auto* bytes = model.if_contains(name);
    const double count = bytes && bytes->is_number() ? bytes->to_number<double>() : 0;
    return std::to_string(static_cast<long long>(count / 1e6));
  };
  return megabytes("fetched_bytes") + " of " + megabytes("fetch_total_bytes") + " MB";
}

void print_models(const json::object& reply) {
  constexpr const char* kColumns[] = {"name",       "aliases", "kind",       "state",
                                      "slots_busy", "waiting", "memory_mib", "tokens_per_second"};
  std::vector<std::vector<std::string>> rows(1);
  for (std::string name : kColumns) {
    std::ranges::transform(name, name.begin(), [](char c) {
      return c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    rows[0].push_back(std::move(name));
  }
  rows[0].emplace_back("REASON");
  for (const auto& entry : reply.at("models").as_array()) {
    const auto& model = entry.as_object();
    auto& row = rows.emplace_back();
    for (const char* column : kColumns) {
      row.push_back(text_of(model, column));
      if (std::string_view(column) == "slots_busy")
        row.back() += "/" + text_of(model, "slots_total");
    }
    row.push_back(remark_on(model));
  }
  std::fputs(table_text(rows).c_str(), stdout);
}

int list(AdminClient& admin, bool as_json) {
  const auto reply = admin.call(http::Method::Get, "/api/engine", "");
  const auto value = parsed(reply);
  if (!value) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
  } else {
    print_models(*value);
    const std::string problem = text_of(*value, "problem");
    if (problem != "-") tell(problem);
  }
  return 0;
}

}  // namespace

int engine_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "The models that Causeway runs itself: list them, pull (fetch a model's file), load, unload.",
      "causeway engine");
  std::string action = "list", model;
  bool as_json = false;
  app.add_option("action", action, "list (the default), pull, load or unload")
      ->check(CLI::IsMember({"list", "pull", "load", "unload"}))
      ->option_text("[list|pull|load|unload]");
  app.add_option("model", model, "Of pull, load and unload: a model's name or alias, e.g. default")
      ->option_text("[MODEL]");
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  if (action == "list") return list(admin, as_json);
  if (model.empty()) {
    tell("which model? As in causeway engine " + action +
         " default; `causeway engine list` shows the models");
    return 2;
  }
  const auto reply =
      admin.call(http::Method::Post, "/api/engine/" + url_encoded(model) + "/" + action, "{}");
  if (!parsed(reply)) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
  } else {
    std::printf("%s of %s begun; `causeway engine list` shows how it goes\n", action.c_str(),
                model.c_str());
  }
  return 0;
}

}  // namespace causeway::app
