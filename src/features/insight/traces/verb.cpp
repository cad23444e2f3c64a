// `causeway traces`: the last exchanges as a table, filtered; one of them in full; and what comes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/insight/traces/feature.h"

namespace causeway::traces {
namespace {

namespace bj = boost::json;

struct Words {
  std::vector<std::pair<std::string, std::string>> filters;  // name in the query, value
  std::uint64_t limit = 20;
  bool json = false, tail = false, errors = false;
  std::string id;  // of `show`
};

struct Option {
  const char* name;  // in the query; on the command line with - for _
  const char* help;
};
constexpr Option kOptions[] = {
    {"since", "ended since: 15m, 2026-11-26, 2026-11-26T13:15:00Z"},
    {"until", "ended before"},
    {"key", "only this key, by id or name"},
    {"tenant", "only this tenant"},
    {"user", "only this user"},
    {"model", "only this model; here and in other names `*` stands for any text"},
    {"target", "only those that tried this target"},
    {"failed_target",
     "only those in which this target was tried in vain, also where another one answered"},
    {"policy", "only under this policy"},
    {"status", "only this status: 200, 4*"},
    {"error", "only this class of error"},
    {"code", "only errors of this code"},
    {"found", "only those in which this kind of personal data was found"},
    {"dialect", "only those asked in this dialect"},
    {"operation", "only this operation"},
    {"min_ms", "only those that took so many milliseconds or more"},
    {"min_cost", "only those that cost so much or more"},
    {"contains", "only those in which these words were said; contents must be kept"},
};

std::string text_of(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : std::string(value->as_string());
  if (value->is_double()) {  // costs; no 2E-5
    char number[32];
    std::snprintf(number, sizeof number, "%.6f", value->get_double());
    std::string text(number);
    text.erase(std::max(text.find_last_not_of('0') + 1, text.find('.') + 2));
    return text;
  }
  return bj::serialize(*value);
}

std::int64_t number_of(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  return value && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

std::string time_of(const bj::value& row) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(number_of(row, "started_ms"))};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()),
                int(clock.subseconds().count()));
  return text;
}

std::string target_of(const bj::value& row) {
  const auto& attempts = row.at("attempts").as_array();
  return attempts.empty() ? "-" : text_of(attempts.back(), "target");
}

const std::vector<std::string> kHead = {"TIME",  "REQUEST", "KEY",   "MODEL",  "TARGET", "STATUS",
                                        "ERROR", "MS",      "INPUT", "OUTPUT", "COST"};

std::vector<std::string> line_of(const bj::value& row) {
  return {time_of(row),
          text_of(row, "request_id"),
          text_of(row, "key"),
          text_of(row, "model"),
          target_of(row),
          text_of(row, "status"),
          text_of(row, "error"),
          std::to_string(number_of(row, "total_us") / 1000),
          text_of(row, "input_tokens"),
          text_of(row, "output_tokens"),
          text_of(row, "cost")};
}

std::string query_of(const Words& words) {
  std::string query;
  for (const auto& [name, value] : words.filters) query += "&" + name + "=" + url_encoded(value);
  if (words.errors) query += "&errors=1";
  return query;
}

int print_list(AdminClient& admin, const Words& words) {
  const std::string path = "/api/traces?limit=" + std::to_string(words.limit) + query_of(words);
  const auto answer = ask_admin(admin, http::Method::Get, path);
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  const auto& value = answer->object;
  std::vector<std::vector<std::string>> table(1, kHead);
  for (const bj::value& row : value.at("traces").as_array()) table.push_back(line_of(row));
  std::fputs(table_text(table, 7).c_str(), stdout);
  if (!value.at("next").is_null()) {
    std::printf("There may be more: --limit, or --json for where to go on.\n");
  }
  if (!value.at("complete").as_bool()) return tell("some traces could not be read");
  return 0;
}

int print_tail(AdminClient& admin, const Words& words) {
  std::string after;
  for (;;) {
    const std::string from = after.empty() ? "" : "&wait=10s&after=" + after;
    const auto answer =
        ask_admin(admin, http::Method::Get, "/api/traces/tail?limit=1000" + from + query_of(words));
    if (!answer) return answer.error();
    const auto& value = answer->object;
    after = text_of(value, "after");
    for (const bj::value& row : value.at("traces").as_array()) {
      if (words.json) {
        std::printf("%s\n", bj::serialize(row).c_str());
        continue;
      }
      std::string line;
      for (const std::string& cell : line_of(row)) line += (line.empty() ? "" : "  ") + cell;
      std::printf("%s\n", line.c_str());
    }
    std::fflush(stdout);
  }
}

std::string milliseconds(double micros) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", micros / 1000);
  return text;
}

// What an attempt used, where that is known: "  12 + 30 tokens, estimated".
std::string tokens_of(const bj::value& attempt) {
  const bj::object& one = attempt.as_object();
  if (!one.contains("input_tokens")) return {};
  return "  " + text_of(attempt, "input_tokens") + " + " + text_of(attempt, "output_tokens") +
         " tokens" + (one.contains("estimated") ? ", estimated" : "");
}

void print_lists(const bj::value& trace) {
  for (const bj::value& one : trace.at("targets").as_array()) {
    std::printf("  target   %s\n", one.as_string().c_str());
  }
  for (const bj::value& one : trace.at("stages").as_array()) {
    std::printf("  stage    %-18s %s%s\n", text_of(one, "stage").c_str(),
                milliseconds(static_cast<double>(number_of(one, "ns")) / 1000).c_str(),
                one.at("ended").as_bool() ? "  ended the exchange" : "");
  }
  for (const bj::value& one : trace.at("attempts").as_array()) {
    std::printf(
        "  attempt  %s  %s  %s  %s  %s%s\n", text_of(one, "target").c_str(),
        text_of(one, "end").c_str(), text_of(one, "error").c_str(), text_of(one, "code").c_str(),
        milliseconds(static_cast<double>(number_of(one, "us"))).c_str(), tokens_of(one).c_str());
  }
  for (const bj::value& one : trace.at("found").as_array()) {
    std::printf("  found    %s  %s  %s  %s\n", text_of(one, "stage").c_str(),
                text_of(one, "kind").c_str(), text_of(one, "action").c_str(),
                text_of(one, "count").c_str());
  }
}

int print_one(AdminClient& admin, const Words& words) {
  const auto answer = ask_admin(admin, http::Method::Get, "/api/traces/" + url_encoded(words.id));
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  const auto& trace = answer->object;
  std::printf("%s  %s\n", time_of(trace).c_str(), text_of(trace, "request_id").c_str());
  for (const auto& [name, value] : trace.as_object()) {
    if (value.is_object() || value.is_array() || name == "request_id") continue;
    std::string_view shown = name;
    std::string text = text_of(trace, name);
    if (shown.ends_with("_us") && value.is_number()) {
      shown.remove_suffix(3);
      text = milliseconds(value.to_number<double>());
    }
    std::printf("  %-18s %s\n", std::string(shown).c_str(), text.c_str());
  }
  print_lists(trace);
  const bj::value* contents = trace.as_object().if_contains("contents");
  if (!contents || !contents->is_object()) return 0;
  std::printf("\nTo the provider:\n%s\n", text_of(*contents, "request").c_str());
  for (const bj::value& piece : contents->at("answer").as_array()) {
    std::printf("\nFrom the provider (%s):\n%s\n", text_of(piece, "channel").c_str(),
                text_of(piece, "text").c_str());
  }
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "Exchanges that the running gateway has recorded, newest first. Their contents stand there "
      "only where a policy says `traces: { contents: on }`.",
      "causeway traces");
  Words words;
  std::vector<std::string> values(std::size(kOptions));
  for (std::size_t i = 0; i < std::size(kOptions); ++i) {
    std::string name = kOptions[i].name;
    std::ranges::replace(name, '_', '-');
    app.add_option("--" + name, values[i], kOptions[i].help);
  }
  app.add_flag("--errors", words.errors, "only those that ended in an error");
  app.add_option("--limit", words.limit, "how many; default 20");
  app.add_flag("--tail", words.tail, "go on with what comes, a line each");
  app.add_flag("--json", words.json, "print the reply as JSON");
  auto* show = app.add_subcommand("show", "one exchange in full, by its request id or trace id");
  show->add_option("ID", words.id, "x-request-id of the answer")->required();
  show->add_flag("--json", words.json, "print the reply as JSON");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (std::size_t i = 0; i < std::size(kOptions); ++i) {
    if (!values[i].empty()) words.filters.emplace_back(kOptions[i].name, values[i]);
  }
  if (show->parsed()) return print_one(admin, words);
  return words.tail ? print_tail(admin, words) : print_list(admin, words);
}

}  // namespace

Verb traces_verb() { return {"traces", "Recorded exchanges: list, filter, show, follow.", run}; }

}  // namespace causeway::traces
