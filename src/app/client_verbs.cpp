#include "app/client_verbs.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

namespace causeway::app {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return std::string(value.as_string());
  if (!value.is_double()) return json::serialize(value);
  char text[32];  // serialize() would write 9.6E0
  std::snprintf(text, sizeof text, "%.10g", value.as_double());
  return text;
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? text_of(*value) : "-";
}

int failed(const char* verb, const Error& error) {
  std::fprintf(stderr, "causeway %s: %s\n", verb, error.message.c_str());
  if (!error.detail.empty()) std::fprintf(stderr, "  %s\n", error.detail.c_str());
  return 1;
}

// The reply's JSON, or the exit code after having said what is wrong.
std::optional<json::value> parsed(const char* verb, const Result<AdminReply>& reply, int& code) {
  code = 1;
  if (!reply) {
    failed(verb, reply.error());
    return std::nullopt;
  }
  boost::system::error_code bad;
  auto value = json::parse(reply->body, bad);
  if (!bad && reply->status / 100 == 2) return value;
  const auto* message = bad ? nullptr : value.find_pointer("/error/message", bad);
  std::fprintf(
      stderr, "causeway %s: %s\n", verb,
      message && message->is_string() ? message->as_string().c_str() : reply->body.c_str());
  return std::nullopt;
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int width = i + 1 == row.size() ? 0 : static_cast<int>(widths[i] + 2);
      std::printf("%-*s", width, row[i].c_str());
    }
    std::putchar('\n');
  }
}

/// `causeway X` as a table of one list of the reply, or as JSON.
struct Listing {
  const char* verb;
  const char* about;
  const char* path;
  const char* list;
  std::vector<std::string> columns;
};

int list_verb(const Listing& listing, std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(listing.about, std::string("causeway ") + listing.verb);
  bool as_json = false;
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Get, listing.path, "");
  int code = 0;
  const auto value = parsed(listing.verb, reply, code);
  if (!value) return code;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows{listing.columns};
  if (const auto* list = value->as_object().if_contains(listing.list)) {
    for (const auto& item : list->as_array()) {
      std::vector<std::string> row;
      for (const auto& column : listing.columns) row.push_back(text_of(item.as_object(), column));
      rows.push_back(std::move(row));
    }
  }
  print_table(rows);
  return 0;
}

int status_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("How the running gateway is.", "causeway status");
  bool as_json = false;
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Get, "/api/status", "");
  int code = 0;
  const auto value = parsed("status", reply, code);
  if (!value) return code;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, member] : value->as_object()) {
    rows.push_back({std::string(name), text_of(member)});
  }
  print_table(rows);
  return 0;
}

const Listing kEngineList = {"engine",
                             "The models that the engine knows.",
                             "/api/engine",
                             "models",
                             {"name", "state", "slots_busy", "slots_total", "waiting", "memory_mib",
                              "tokens_per_second", "reason"}};

int engine_verb(std::span<const std::string> args, AdminClient& admin) {
  if (args.empty() || args[0] == "list" || args[0] == "--json") {
    const bool named = !args.empty() && args[0] == "list";
    return list_verb(kEngineList, args.subspan(named ? 1 : 0), admin);
  }
  CLI::App app("The models that Causeway runs itself: list, pull (fetch the file), load, unload.",
               "causeway engine");
  std::string action, model;
  bool as_json = false;
  app.add_option("action", action, "list, pull, load or unload")
      ->check(CLI::IsMember({"list", "pull", "load", "unload"}))
      ->required();
  app.add_option("model", model, "The model's name or alias, e.g. default")->required();
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto reply = admin.call(http::Method::Post, "/api/engine/" + model + "/" + action, "{}");
  int code = 0;
  const auto value = parsed("engine", reply, code);
  if (!value) return code;
  std::printf("%s\n", as_json ? reply->body.c_str()
                              : (action + " of " + model +
                                 " begun; `causeway engine list` shows how "
                                 "it goes")
                                    .c_str());
  return 0;
}

}  // namespace

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
  static const Listing kModels = {"models",
                                  "The models that applications may ask for.",
                                  "/api/models",
                                  "models",
                                  {"name", "strategy", "targets"}};
  return {
      {"models", "The models that applications may ask for.",
       [](std::span<const std::string> args, AdminClient& admin) {
         return list_verb(kModels, args, admin);
       }},
      {"engine", "Models that Causeway runs itself: list, pull, load, unload.", engine_verb},
      {"status", "How the running gateway is.", status_verb},
  };
}

}  // namespace causeway::app
