// `causeway cache`: what is kept, and taking it out.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/traffic/cache/feature.h"
#include "platform/text/percent.h"

namespace causeway::cache {
namespace {

namespace bj = boost::json;
using http::Method;

std::string size_text(const bj::value& bytes) {
  const double kibibytes = bytes.to_number<double>() / 1024;
  char text[40];
  if (kibibytes < 1024) {
    std::snprintf(text, sizeof text, "%.1f KiB", kibibytes);
  } else {
    std::snprintf(text, sizeof text, "%.1f MiB", kibibytes / 1024);
  }
  return text;
}

void print_shared(const bj::value& shared) {
  const auto number = [&shared](const char* name) { return bj::serialize(shared.at(name)); };
  std::printf("shared with other replicas: %s hits, %s put there, %s not, %s errors\n",
              number("hits").c_str(), number("puts").c_str(), number("dropped").c_str(),
              number("errors").c_str());
  if (!shared.at("answers").as_bool()) std::printf("Redis does not answer: nothing is shared\n");
  if (shared.at("full").as_bool()) std::printf("Redis is full: nothing more is put there\n");
}

int stats(AdminClient& admin, bool as_json) {
  const auto answer = ask_admin(admin, Method::Get, "/api/cache");
  if (!answer) return answer.error();
  if (as_json) {
    std::printf("%s\n", answer->raw.c_str());
    return 0;
  }
  const auto number = [&answer](const char* name) {
    return answer->object.at(name).to_number<double>();
  };
  const double same = number("hits"), near = number("by_meaning"), hits = same + near;
  const double all = hits + number("misses");
  std::printf("%.0f hits of %.0f (%.1f %%)\n", hits, all, all > 0 ? 100 * hits / all : 0);
  std::printf("  by the same words: %.0f, of which %.0f waited for the same request of another\n",
              same, number("joined"));
  std::printf("  by meaning: %.0f; %.0f questions are known\n", near, number("questions"));
  std::vector<std::vector<std::string>> table{{"WHERE", "ANSWERS", "SIZE", "OF"}};
  for (const char* where : {"memory", "disk"}) {
    const bj::value* shelf = answer->object.as_object().if_contains(where);
    if (!shelf) continue;
    table.push_back({where, bj::serialize(shelf->at("entries")), size_text(shelf->at("bytes")),
                     size_text(shelf->at("most_bytes"))});
  }
  std::fputs(table_text(table).c_str(), stdout);
  if (const bj::value* shared = answer->object.as_object().if_contains("shared"))
    print_shared(*shared);
  return 0;
}

int clear(AdminClient& admin, const std::string& tenant, const std::string& model) {
  std::string path = "/api/cache";
  if (!tenant.empty()) path += "?tenant=" + text::percent_encoded(tenant);
  if (!model.empty()) {
    path += path.find('?') == std::string::npos ? '?' : '&';
    path += "model=" + text::percent_encoded(model);
  }
  const auto answer = ask_admin(admin, Method::Delete, path);
  if (!answer) return answer.error();
  std::printf("%s answers taken out of memory, %s of the disk",
              bj::serialize(answer->object.at("cleared_in_memory")).c_str(),
              bj::serialize(answer->object.at("cleared_on_disk")).c_str());
  const bj::value* shared = answer->object.as_object().if_contains("cleared_shared");
  if (shared) std::printf(", %s of what replicas share", bj::serialize(*shared).c_str());
  std::printf("\n");
  const bj::value* problem = answer->object.as_object().if_contains("shared_problem");
  return problem ? tell(std::string(problem->as_string())) : 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Answers that are kept to be given again.", "causeway cache");
  bool json = false;
  std::string tenant, model;
  auto* show = app.add_subcommand("stats", "how many, how large, how often they were there");
  show->add_flag("--json", json, "print the reply as JSON");
  auto* take = app.add_subcommand(
      "clear", "take them out: of memory, of the disk, and of what replicas share");
  take->add_option("--tenant", tenant, "only of this tenant");
  take->add_option("--model", model, "only of this model");
  app.require_subcommand(1);
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return *show ? stats(admin, json) : clear(admin, tenant, model);
}

}  // namespace

Verb cache_verb() {
  return {"cache", "Answers that are kept: how many, and taking them out.", run};
}

}  // namespace causeway::cache
