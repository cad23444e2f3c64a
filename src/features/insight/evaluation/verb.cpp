// `causeway test-cases`: exchanges that were marked, and marking one.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/insight/evaluation/feature.h"

namespace causeway::evaluation {
namespace {

namespace bj = boost::json;
using http::Method;

struct Words {
  std::string id, note;
  bool json = false;
};

std::string text_of(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : std::string(value->as_string());
  return bj::serialize(*value);
}

int list(AdminClient& admin, const Words& words) {
  const auto answer = ask_admin(admin, Method::Get, "/api/test-cases");
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> table{{"ID", "TRACE", "MODEL", "BY", "NOTE"}};
  for (const bj::value& row : answer->object.at("test_cases").as_array()) {
    table.push_back({text_of(row, "id"), text_of(row, "trace"), text_of(row, "model"),
                     text_of(row, "made_by"), text_of(row, "note")});
  }
  std::fputs(table_text(table).c_str(), stdout);
  return 0;
}

int one(AdminClient& admin, Method method, const std::string& path, const std::string& body) {
  const auto answer = ask_admin(admin, method, path, body);
  if (!answer) return answer.error();
  std::printf("%s\n", answer->raw.c_str());
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Exchanges that were marked, to be looked at again.", "causeway test-cases");
  app.require_subcommand(0, 1);
  Words words;
  app.add_flag("--json", words.json, "print the reply as JSON");
  auto* add = app.add_subcommand("add", "mark an exchange; its trace must have contents");
  add->add_option("TRACE", words.id, "x-request-id of the answer")->required();
  add->add_option("--note", words.note, "why");
  auto* show = app.add_subcommand("show", "one, with what was said in it, as JSON");
  show->add_option("ID", words.id, "id of the test case")->required();
  auto* remove = app.add_subcommand("remove", "takes the mark away");
  remove->add_option("ID", words.id, "id of the test case")->required();
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::string path = "/api/test-cases/" + url_encoded(words.id);
  if (add->parsed()) {
    const bj::object body{{"trace", words.id}, {"note", words.note}};
    return one(admin, Method::Post, "/api/test-cases", bj::serialize(body));
  }
  if (show->parsed()) return one(admin, Method::Get, path, "");
  if (remove->parsed()) return one(admin, Method::Delete, path, "");
  return list(admin, words);
}

}  // namespace

Verb test_cases_verb() { return {"test-cases", "Exchanges marked as test cases.", run}; }

}  // namespace causeway::evaluation
