// `causeway limits`: who is near the end of what.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/traffic/limits/feature.h"
#include "platform/text/percent.h"

namespace causeway::limits {
namespace {

namespace bj = boost::json;

std::string number(const bj::value& value) {
  char text[40];
  const double real = value.to_number<double>();
  std::snprintf(text, sizeof text, value.is_double() ? "%.6f" : "%.0f", real);
  return text;
}

std::string span(double seconds) {
  char text[40];
  if (seconds >= 86'400) {
    std::snprintf(text, sizeof text, "%.1f d", seconds / 86'400);
  } else if (seconds >= 3600) {
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  } else {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  }
  return seconds > 0 ? text : "-";
}

// `all`: nothing was asked for in particular.
void print(const bj::value& value, bool all) {
  const auto& counted = value.at("counted").as_string();
  const auto replicas = static_cast<long>(value.at("replicas").to_number<std::int64_t>());
  if (counted == "together") std::printf("%ld replicas count together.\n\n", replicas);
  if (counted == "share") {
    std::printf("Redis does not answer: this replica has a part in %ld of each limit.\n\n",
                replicas);
  }
  std::vector<std::vector<std::string>> table{
      {"LIMIT", "POLICY", "SUBJECT", "USED", "OF", "PART", "FREES IN", "REFUSED"}};
  for (const bj::value& row : value.at("limits").as_array()) {
    const double most = row.at("most").to_number<double>();
    const double used = row.at("used").to_number<double>();
    char part[20];
    std::snprintf(part, sizeof part, "%.0f %%", most > 0 ? 100 * used / most : 0);
    const auto& subject = row.at("subject").as_string();
    table.push_back(
        {std::string(row.at("limit").as_string()), std::string(row.at("policy").as_string()),
         subject.empty() ? "all" : std::string(subject), number(row.at("used")),
         number(row.at("most")), part, span(row.at("frees_in_seconds").to_number<double>()),
         number(row.at("refused"))});
  }
  if (table.size() == 1) {
    std::puts(all ? "Nobody has used anything of a limit since this process began."
                  : "No row matches, of those whom this process has counted since it began.");
    return;
  }
  std::fputs(table_text(table, 3).c_str(), stdout);
}

int show(AdminClient& admin, const std::string& path, bool as_json) {
  const auto answer = ask_admin(admin, http::Method::Get, path);
  if (!answer) return answer.error();
  if (as_json) {
    std::printf("%s\n", answer->raw.c_str());
  } else {
    print(answer->object, path.find('?') == std::string::npos);
  }
  std::fflush(stdout);
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Who has used how much of which limit, nearest to its end first.",
               "causeway limits");
  std::string limit, subject, near;
  bool json = false, watch = false;
  app.add_option("--limit", limit, "only of limits with this in their name");
  app.add_option("--subject", subject,
                 "only of users, keys, addresses with this in them, as shown");
  app.add_option("--near", near, "only from this part on: 0.8");
  app.add_flag("--json", json, "print the reply as JSON");
  app.add_flag("--watch", watch, "again every second, until Ctrl-C");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::string path = "/api/limits";
  char joint = '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    path += joint + std::string(name) + '=' + text::percent_encoded(value);
    joint = '&';
  };
  add("limit", limit);
  add("subject", subject);
  add("near", near);
  for (;;) {
    if (watch && !json) std::fputs("\x1b[H\x1b[2J", stdout);
    const int code = show(admin, path, json);
    if (!watch || code != 0) return code;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

Verb limits_verb() { return {"limits", "Who has used how much of which limit.", run}; }

}  // namespace causeway::limits
