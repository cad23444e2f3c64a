// `causeway overview` and `causeway history`: what the console's first page shows, as tables.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "core/verb_output.h"
#include "features/insight/metrics/feature.h"

namespace causeway::metrics {
namespace {

namespace json = boost::json;

int parse(CLI::App& app, std::span<const std::string> args) {
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    app.parse(std::move(reversed));
    return -1;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
}

// The reply, printed as it is where JSON is wanted; nothing where all is said.
std::optional<json::value> ask(AdminClient& admin, const std::string& path, bool as_json,
                               int& code) {
  const auto reply = admin.call(http::Method::Get, path, "");
  code = 1;
  if (!reply) {
    code = tell(reply.error());
    return std::nullopt;
  }
  boost::system::error_code bad;
  auto value = json::parse(reply->body, bad);
  if (bad || reply->status != 200) {
    const auto* message = bad ? nullptr : value.find_pointer("/error/message", bad);
    tell(message && message->is_string() ? std::string(message->as_string()) : reply->body);
    return std::nullopt;
  }
  code = 0;
  if (!as_json) return value;
  std::printf("%s\n", reply->body.c_str());
  return std::nullopt;
}

std::string number(const json::value& value) {
  if (!value.is_number()) return "-";
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value.to_number<double>());
  return text;
}

std::string cell(const json::object& row, std::string_view name) {
  const auto* value = row.if_contains(name);
  if (!value) return "-";
  return value->is_string() ? std::string(value->as_string()) : number(*value);
}

void print_overview(const json::object& value) {
  const auto& totals = value.at("totals").as_object();
  const std::vector<const char*> columns = {"requests",      "errors", "input_tokens",
                                            "output_tokens", "cost",   "p50_ms",
                                            "p95_ms",        "p99_ms", "first_token_p50_ms"};
  std::vector<std::vector<std::string>> rows{{"MODEL", "REQUESTS", "ERRORS", "INPUT", "OUTPUT",
                                              "COST " + cell(value, "currency"), "P50 MS", "P95 MS",
                                              "P99 MS", "FIRST TOKEN P50 MS"}};
  const auto add = [&](std::string name, const json::object& figures) {
    auto& row = rows.emplace_back(1, std::move(name));
    for (const char* column : columns) row.push_back(cell(figures, column));
  };
  for (const auto& model : value.at("models").as_array()) {
    add(cell(model.as_object(), "model"), model.as_object());
  }
  add("all", totals);
  std::fputs(table_text(rows, 1).c_str(), stdout);
  std::printf("\nRunning now: %s\n", cell(totals, "in_flight").c_str());
  for (const auto& [name, count] : totals.at("errors_by_class").as_object()) {
    std::printf("%s: %s\n", std::string(name).c_str(), number(count).c_str());
  }
  const auto& providers = value.at("providers").as_array();
  if (providers.empty()) return;
  rows = {{"PROVIDER", "ATTEMPTS", "ERRORS"}};
  for (const auto& entry : providers) {
    const auto& provider = entry.as_object();
    rows.push_back(
        {cell(provider, "provider"), cell(provider, "attempts"), cell(provider, "errors")});
  }
  std::printf("\n%s", table_text(rows, 1).c_str());
}

int run_overview(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("How the running gateway did: by model, by provider.", "causeway overview");
  std::string window = "1h";
  bool as_json = false;
  app.add_option("--window", window, "15m, 1h, 6h, 24h or 7d")->capture_default_str();
  app.add_flag("--json", as_json, "The reply as JSON, with every step of time");
  if (const int code = parse(app, args); code >= 0) return code;
  int code = 0;
  const auto value = ask(admin, "/api/overview?window=" + url_encoded(window), as_json, code);
  if (value) print_overview(value->as_object());
  return code;
}

// A line for each step in which anything was: its time in seconds since 1970, then the numbers.
void print_history(const json::object& value) {
  const bool histogram = value.at("type").as_string() == "histogram";
  const std::vector<std::string> columns =
      histogram ? std::vector<std::string>{"count", "sum", "p50", "p95", "p99"}
                : std::vector<std::string>{"values"};
  std::vector<std::vector<std::string>> rows{{"TIME", "LABELS"}};
  for (auto column : columns) {
    std::ranges::transform(column, column.begin(),
                           [](char c) { return static_cast<char>(toupper(c)); });
    rows[0].push_back(column == "VALUES" ? "VALUE" : column);
  }
  for (const auto& entry : value.at("series").as_array()) {
    const auto& series = entry.as_object();
    std::string labels;
    for (const auto& [name, label] : series.at("labels").as_object()) {
      labels +=
          (labels.empty() ? "" : ", ") + std::string(name) + "=" + std::string(label.as_string());
    }
    const auto& first = series.at(columns[0]).as_array();
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i].is_null() || (first[i].to_number<double>() == 0 && histogram)) continue;
      const auto time =
          value.at("from").to_number<std::int64_t>() +
          static_cast<std::int64_t>(i) * value.at("step_seconds").to_number<std::int64_t>();
      auto& row = rows.emplace_back(
          std::vector<std::string>{std::to_string(time), labels.empty() ? "-" : labels});
      for (const auto& column : columns) row.push_back(number(series.at(column).as_array()[i]));
    }
  }
  std::fputs(table_text(rows, 2).c_str(), stdout);
}

int run_history(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("One metric of the running gateway over time, as it is called in /metrics.",
               "causeway history");
  std::string metric, by, window = "1h";
  std::vector<std::string> where;
  bool as_json = false;
  app.add_option("metric", metric, "Its name")->required();
  app.add_option("--by", by, "Labels that tell lines apart, with commas");
  app.add_option("--where", where, "LABEL=VALUE: only these; may be given several times");
  app.add_option("--window", window, "15m, 1h, 6h, 24h or 7d")->capture_default_str();
  app.add_flag("--json", as_json, "The reply as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  std::string path = "/api/history?metric=" + url_encoded(metric) +
                     "&window=" + url_encoded(window) + "&by=" + url_encoded(by);
  for (const auto& wanted : where) {
    const auto equals = std::min(wanted.find('='), wanted.size());
    path += "&where." + url_encoded(wanted.substr(0, equals)) + "=" +
            url_encoded(wanted.substr(std::min(equals + 1, wanted.size())));
  }
  int code = 0;
  const auto value = ask(admin, path, as_json, code);
  if (value) print_history(value->as_object());
  return code;
}

}  // namespace

std::vector<Verb> metrics_verbs() {
  return {{"overview", "Requests, errors, tokens, money and latency of late.", run_overview},
          {"history", "One metric over time.", run_history}};
}

}  // namespace causeway::metrics
