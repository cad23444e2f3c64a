// `causeway overload`: which targets have how much to do, and who waits for them.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/traffic/overload/feature.h"

namespace causeway::overload {
namespace {

namespace bj = boost::json;

std::string text_of(const bj::value& object, bj::string_view name) {
  const bj::value& value = object.at(name);
  if (value.is_string()) return std::string(value.as_string());
  return value.is_null() ? "none" : bj::serialize(value);
}

void print(const bj::value& object) {
  std::vector<std::vector<std::string>> table{
      {"TARGET", "TENANT", "AT ONCE", "UNDER WAY", "WAITING", "WAITS ABOUT"}};
  for (const bj::value& target : object.at("targets").as_array()) {
    table.push_back({text_of(target, "target"), "", text_of(target, "limit"),
                     text_of(target, "under_way"), text_of(target, "waiting"),
                     text_of(target, "expected_ms") + " ms"});
    for (const bj::value& tenant : target.at("tenants").as_array()) {
      const std::string name = text_of(tenant, "tenant");
      table.push_back({"", name.empty() ? "-" : name, "", text_of(tenant, "under_way"),
                       text_of(tenant, "waiting"), ""});
    }
  }
  if (table.size() == 1) {
    std::puts("Nothing has been asked under a policy with `overload`.");
  } else {
    std::fputs(table_text(table, 2).c_str(), stdout);
  }
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Which targets have how much to do, and who waits for them.", "causeway overload");
  bool json = false, watch = false;
  app.add_flag("--json", json, "print the reply as JSON");
  app.add_flag("--watch", watch, "again every second, until Ctrl-C");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (;;) {
    const auto answer = ask_admin(admin, http::Method::Get, "/api/overload");
    if (!answer) return answer.error();
    if (watch && !json) std::fputs("\x1b[H\x1b[2J", stdout);
    if (json) {
      std::printf("%s\n", answer->raw.c_str());
    } else {
      print(answer->object);
    }
    std::fflush(stdout);
    if (!watch) return 0;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

Verb overload_verb() {
  return {"overload", "Which targets have how much to do, and who waits.", run};
}

}  // namespace causeway::overload
