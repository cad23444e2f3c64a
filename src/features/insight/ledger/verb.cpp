// `causeway usage`: the totals as a table, or as the JSON that the route gives.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/insight/ledger/feature.h"

namespace causeway::ledger {
namespace {

namespace bj = boost::json;

struct Words {
  std::string from, to, by = "day,tenant,key,model", key, tenant, model, provider;
  bool json = false;
};

std::string cell(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value) return "-";
  if (value->is_string()) return std::string(value->as_string());
  if (value->is_int64()) return std::to_string(value->as_int64());
  if (value->is_uint64()) return std::to_string(value->as_uint64());
  return "-";
}

// As a decimal number with six places; "-" where it is not known.
std::string money(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value || !value->is_number()) return "-";
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", value->to_number<double>());
  return text;
}

struct Figure {
  const char* title;  // one word: scripts take lines apart
  const char* name;
  bool always;  // else only where a row has something there
  bool money = false;
};

constexpr Figure kFigures[] = {
    {"REQUESTS", "requests", true},
    {"FAILED", "failed_requests", true},
    {"STORED", "cached_requests", false},
    {"INPUT", "input_tokens", true},
    {"PROMPT-CACHE", "cache_read_tokens", false},
    {"OUTPUT", "output_tokens", true},
    {"ESTIMATED", "estimated_requests", false},
    {"LOST-TOKENS", "lost_tokens", false},
    {"MINIMISED", "tokens_saved", false},
    {"SPARED-TOKENS", "cached_tokens", false},
    {"SPARED-COST", "cost_saved", false, true},
    {"COST", "cost", true, true},  // the last: its currency stands behind it
};

constexpr const char* kFooter =
    "Columns without a figure in any row are left out.\n"
    "  STORED         of REQUESTS, those answered without a model: cache, FAQ\n"
    "  PROMPT-CACHE   of INPUT, what the provider read from its own cache\n"
    "  ESTIMATED      requests whose usage the provider did not tell\n"
    "  LOST-TOKENS    of INPUT and OUTPUT, those of attempts whose answer nobody got\n"
    "                 or that another target went on with\n"
    "  MINIMISED      tokens that minimising kept back; in no other sum\n"
    "  SPARED-TOKENS  what stored answers would have come to; in no other sum\n"
    "  SPARED-COST    the same in money\n";

std::string figure_text(const bj::value& row, const Figure& figure) {
  return figure.money ? money(row, figure.name) : cell(row, figure.name);
}

bool has_any(const bj::array& rows, const Figure& figure) {
  return std::ranges::any_of(rows, [&figure](const bj::value& row) {
    const bj::value* value = row.as_object().if_contains(figure.name);
    return value && value->is_number() && value->to_number<double>() != 0;
  });
}

void print_usage(const bj::value& reply, const std::string& by) {
  std::vector<std::string> groups;
  for (std::string_view rest = by; !rest.empty();) {
    groups.emplace_back(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(groups.back().size() + 1, rest.size()));
  }
  std::vector<std::vector<std::string>> table(1, groups);
  for (std::string& name : table[0]) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(toupper(c)); });
  }
  const bj::array& rows = reply.at("usage").as_array();
  std::vector<Figure> figures;
  for (const Figure& figure : kFigures) {
    if (!figure.always && !has_any(rows, figure)) continue;
    figures.push_back(figure);
    table[0].emplace_back(figure.title);
  }
  table[0].back() += " " + cell(reply, "currency");
  for (const bj::value& row : rows) {
    auto& line = table.emplace_back();
    for (const std::string& group : groups) line.push_back(cell(row, group));
    for (const Figure& figure : figures) line.push_back(figure_text(row, figure));
  }
  std::fputs(table_text(table, groups.size()).c_str(), stdout);
  const auto& hosted = reply.at("hosted").as_array();
  if (hosted.empty()) return;
  std::printf("\nPaid by the hour:\n");
  std::vector<std::vector<std::string>> hours = {
      {"DAY", "PROVIDER", "BUSY S", "IDLE S", "BUSY COST", "IDLE COST"}};
  for (const bj::value& row : hosted) {
    auto& line = hours.emplace_back();
    line = {cell(row, "day"), cell(row, "provider")};
    for (const char* name : {"busy_seconds", "idle_seconds", "busy_cost", "idle_cost"}) {
      char text[40];
      std::snprintf(text, sizeof text, "%.3f", row.at(name).to_number<double>());
      line.emplace_back(text);
    }
  }
  std::fputs(table_text(hours, 2).c_str(), stdout);
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "Tokens and money, from the running gateway. A cost of - means that no price is known.",
      "causeway usage");
  app.footer(kFooter);
  Words words;
  app.add_option("--from", words.from, "first day, like 2026-11-24");
  app.add_option("--to", words.to, "last day");
  app.add_option("--by", words.by,
                 "what to tell apart: day, key, tenant, model, provider, upstream, "
                 "source; default: day,tenant,key,model");
  app.add_option("--key", words.key, "only this key, by id or name");
  app.add_option("--tenant", words.tenant, "only this tenant");
  app.add_option("--model", words.model, "only this model");
  app.add_option("--provider", words.provider, "only this provider");
  app.add_flag("--json", words.json, "print the reply as JSON");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::string path = "/api/usage?by=" + url_encoded(words.by);
  const std::pair<const char*, const std::string*> filters[] = {
      {"from", &words.from},     {"to", &words.to},       {"key", &words.key},
      {"tenant", &words.tenant}, {"model", &words.model}, {"provider", &words.provider}};
  for (const auto& [name, value] : filters) {
    if (!value->empty()) path += std::string("&") + name + "=" + url_encoded(*value);
  }
  const auto answer = ask_admin(admin, http::Method::Get, path);
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
  } else {
    print_usage(answer->object, words.by);
  }
  return 0;
}

}  // namespace

Verb usage_verb() { return {"usage", "Tokens and money by day, key and model.", run}; }

}  // namespace causeway::ledger
