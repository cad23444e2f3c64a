// `causeway blocks`: who is left outside, and saying who is.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/traffic/anomalies/feature.h"
#include "platform/config/values.h"
#include "platform/text/json_writer.h"
#include "platform/text/percent.h"

namespace causeway::anomalies {
namespace {

namespace bj = boost::json;
using http::Method;

struct Words {
  std::string who, tenant, length, reason;
  bool json = false;
};

std::string text_of(const bj::value& object, bj::string_view name) {
  const bj::value* value = object.as_object().if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string left_of(const bj::value& block) {
  const auto seconds = block.at("seconds_left").to_number<std::int64_t>();
  return config::print_duration(std::chrono::seconds(seconds));
}

int list(AdminClient& admin, const Words& words) {
  const auto answer = ask_admin(admin, Method::Get, "/api/blocks");
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  const auto& blocks = answer->object.at("blocks").as_array();
  if (blocks.empty()) {
    std::puts("Nobody is blocked.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"WHO", "TENANT", "UNTIL", "LEFT", "BY", "REASON"}};
  for (const bj::value& block : blocks) {
    const std::string tenant = text_of(block, "tenant");
    rows.push_back({text_of(block, "who"), tenant.empty() ? "-" : tenant, text_of(block, "until"),
                    left_of(block), text_of(block, "by"), text_of(block, "reason")});
  }
  std::fputs(table_text(rows).c_str(), stdout);
  return 0;
}

int add(AdminClient& admin, const Words& words) {
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("who", words.who);
  if (!words.tenant.empty()) json.field("tenant", words.tenant);
  if (!words.length.empty()) json.field("for", words.length);
  if (!words.reason.empty()) json.field("reason", words.reason);
  json.end_object();
  const auto answer = ask_admin(admin, Method::Post, "/api/blocks", body);
  if (!answer) return answer.error();
  const bj::value& block = answer->object.at("added").as_array().at(0);
  std::printf("%s is blocked for %s\n", text_of(block, "who").c_str(), left_of(block).c_str());
  return 0;
}

int remove(AdminClient& admin, const Words& words) {
  std::string path = "/api/blocks?who=" + text::percent_encoded(words.who);
  if (!words.tenant.empty()) path += "&tenant=" + text::percent_encoded(words.tenant);
  const auto answer = ask_admin(admin, Method::Delete, path);
  if (!answer) return answer.error();
  for (const bj::value& block : answer->object.at("removed").as_array()) {
    std::printf("%s is not blocked any more\n", text_of(block, "who").c_str());
  }
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Who is blocked.", "causeway blocks");
  Words words;
  auto* show = app.add_subcommand("list", "who is blocked, until when and why");
  show->add_flag("--json", words.json, "print the reply as JSON");
  auto* more = app.add_subcommand("add", "block somebody");
  auto* less = app.add_subcommand("remove", "take a block away");
  for (auto* verb : {more, less}) {
    verb->add_option("who", words.who,
                     "an address, a network, user:NAME, or key: and a key's name or id")
        ->required();
    verb->add_option("--tenant", words.tenant, "the user's tenant; without it any");
  }
  more->add_option("--for", words.length, "how long, e.g. 30m or 7d; an hour where it is not said");
  more->add_option("--reason", words.reason, "for whoever reads the list");
  app.require_subcommand(1);
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return *show ? list(admin, words) : *more ? add(admin, words) : remove(admin, words);
}

}  // namespace

Verb blocks_verb() { return {"blocks", "Who is blocked: a list, adding and removing.", run}; }

}  // namespace causeway::anomalies
