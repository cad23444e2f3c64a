#include "app/client_verbs.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "core/verb_output.h"

namespace causeway::app {
namespace {

namespace json = boost::json;

std::string shown(const json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.as_string().empty() ? "-" : std::string(value.as_string());
  if (const auto* list = value.if_array()) {
    std::string text;
    for (const auto& entry : *list) text += (text.empty() ? "" : ", ") + shown(entry);
    return text.empty() ? "-" : text;
  }
  if (!value.is_double()) return json::serialize(value);
  char text[32];  // serialize() would write 9.6E0
  std::snprintf(text, sizeof text, "%.10g", value.as_double());
  return text;
}

// "requests 12, errors 0": what is there.
std::string members_of(const json::object& object) {
  std::string text;
  for (const auto& [key, member] : object) {
    if (member.is_null()) continue;
    std::string name(key);
    std::ranges::replace(name, '_', ' ');
    text += (text.empty() ? "" : ", ") + name + " " + shown(member);
  }
  return text;
}

// What a model of the list stands for, where that is something else.
std::string meaning_of(const json::object& model) {
  const std::string targets = text_of(model, "targets");
  if (text_of(model, "name") == targets) return "";
  const auto* several = model.if_contains("targets");
  const std::string strategy = text_of(model, "strategy");
  const bool chosen = strategy != "-" && several && several->as_array().size() > 1;
  return chosen ? targets + " (" + strategy + ")" : targets;
}

int models_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "The models that applications may ask for: of the running gateway, or where none runs of the "
      "configuration.",
      "causeway models");
  bool as_json = false;
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Get, "/api/models", "");
  const auto value = parsed(reply);
  if (!value) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
    return 0;
  }
  const std::string config = text_of(*value, "config");
  if (text_of(*value, "source") == "gateway") {
    std::fprintf(stderr, "Of the running gateway at %s:\n", text_of(*value, "listen").c_str());
  } else if (config == "-") {
    std::fputs("What this machine offers, as no gateway runs and there is no causeway.yaml:\n",
               stderr);
  } else {
    std::fprintf(stderr, "Of the configuration %s, as no gateway runs:\n", config.c_str());
  }
  std::vector<std::vector<std::string>> rows{{"MODEL", "PROVIDER", "STANDS FOR"}};
  for (const auto& entry : value->at("models").as_array()) {
    const auto& model = entry.as_object();
    rows.push_back({text_of(model, "name"), text_of(model, "provider"), meaning_of(model)});
  }
  std::fputs(table_text(rows).c_str(), stdout);
  return 0;
}

int status_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("How the running gateway is.", "causeway status");
  bool as_json = false;
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Get, "/api/status", "");
  const auto value = parsed(reply);
  if (!value) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, member] : *value) {
    std::string name(key);
    std::ranges::replace(name, '_', ' ');
    const bool no_file = name == "config" && shown(member) == "-";
    rows.push_back({name, no_file              ? "no file: what this machine offers"
                          : member.is_object() ? members_of(member.as_object())
                                               : shown(member)});
  }
  std::fputs(table_text(rows).c_str(), stdout);
  return 0;
}

int store_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("The data folder. Works on the running gateway, or on the folder when none runs.",
               "causeway store");
  app.require_subcommand(1);
  bool as_json = false;
  app.add_subcommand("rotate-key",
                     "A new master key in the data folder: what it encrypts stays readable. Back "
                     "the folder up afterwards.")
      ->add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Post, "/api/store/rotate-key", "{}");
  const auto value = parsed(reply);
  if (!value) return 1;
  std::printf("%s\n", as_json ? reply->body.c_str()
                              : ("The master key is a new one; data keys wrapped by it: " +
                                 text_of(*value, "data_keys") + ". Back up master.key again.")
                                    .c_str());
  return 0;
}

}  // namespace

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? shown(*value) : "-";
}

std::optional<json::object> parsed(const Result<AdminReply>& reply) {
  if (!reply) {
    tell(reply.error());
    return std::nullopt;
  }
  boost::system::error_code bad;
  auto value = json::parse(reply->body, bad);
  if (!bad && reply->status / 100 == 2 && value.is_object()) return std::move(value.as_object());
  const auto* message = bad ? nullptr : value.find_pointer("/error/message", bad);
  tell(message && message->is_string() ? std::string(message->as_string()) : reply->body);
  return std::nullopt;
}

int parse_arguments(CLI::App& app, std::span<const std::string> args) {
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    app.parse(std::move(reversed));
    return -1;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
}

std::vector<Verb> client_verbs() {
  return {
      {"models", "The models that applications may ask for.", models_verb},
      {"engine", "Models that Causeway runs itself: list, pull, load, unload.", engine_verb},
      {"status", "How the running gateway is.", status_verb},
      {"store", "The data folder: a new master key.", store_verb},
      {"config", "The configuration file of the running gateway.", config_verb},
      {"providers", "Who answers, how the last hour went, how each replica is now.",
       providers_verb},
  };
}

}  // namespace causeway::app
