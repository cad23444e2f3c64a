// `causeway route explain`: where a request would go, and why.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/verb_output.h"
#include "features/traffic/routing/feature.h"

namespace causeway::routing {
namespace {

namespace bj = boost::json;

struct Options {
  std::string model, prompt = "Hello", file, path = "/v1/chat/completions", tenant, user;
  std::vector<std::string> roles, data;
  bool json = false;
};

std::string text_of(const bj::object& from, std::string_view name) {
  const bj::value* found = from.if_contains(name);
  if (!found || found->is_null()) return "-";
  if (found->is_string()) return std::string(found->as_string());
  return bj::serialize(*found);
}

std::string joined(const bj::object& from, std::string_view name) {
  std::string out;
  const bj::value* found = from.if_contains(name);
  if (!found || !found->is_array()) return out;
  for (const bj::value& one : found->as_array()) {
    if (!one.is_string()) continue;
    out += (out.empty() ? "" : ", ") + std::string(one.as_string());
  }
  return out;
}

// What speaks against a target, or for it.
std::string remark(const bj::object& target) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (target.contains("rests_ms")) {
    add("rests " + text_of(target, "rests_ms") + " ms (" + text_of(target, "why") + ")");
  }
  if (const auto quota = quota_remark(target); !quota.empty()) add(quota);
  if (target.contains("too_small")) add("window of " + text_of(target, "context") + " too small");
  if (const auto lacks = joined(target, "lacks"); !lacks.empty()) add("does not do " + lacks);
  return out;
}

void print_escalation(const bj::object& how) {
  if (how.contains("not_judged")) {
    std::printf("Not judged: %s.\n\n", text_of(how, "not_judged").c_str());
    return;
  }
  const std::string tokens = text_of(how, "tokens");
  std::printf("The first target's answer is given where its confidence is %.3g or more%s.\n\n",
              how.at("below").to_number<double>(),
              tokens == "0" ? "" : (", by its first " + tokens + " tokens").c_str());
}

void print(const bj::object& decision) {
  std::printf("Model %s: %s, policy %s, about %s tokens", text_of(decision, "model").c_str(),
              text_of(decision, "strategy").c_str(), text_of(decision, "policy").c_str(),
              text_of(decision, "prompt_tokens").c_str());
  if (const auto needs = joined(decision, "needs"); !needs.empty()) {
    std::printf(", needs %s", needs.c_str());
  }
  if (const auto found = joined(decision, "found"); !found.empty()) {
    std::printf(", found %s", found.c_str());
  }
  if (const auto* score = decision.if_contains("complexity")) {
    std::printf(", complexity %.2f", score->to_number<double>());
  }
  if (decision.contains("language")) {
    std::printf(", language %s", text_of(decision, "language").c_str());
  }
  const bool ruled = !decision.at("rule").is_null();
  std::printf("\n%s\n\n",
              ruled ? ("Rule: " + text_of(decision, "rule")).c_str() : "No rule holds.");
  if (const auto* escalate = decision.if_contains("escalate")) {
    print_escalation(escalate->as_object());
  }
  std::vector<std::vector<std::string>> rows{
      {"TARGET", "MEMBER", "ZONE", "STATE", "UNDER WAY", "USUAL MS", "REMARK"}};
  for (const bj::value& value : decision.at("targets").as_array()) {
    const bj::object& target = value.as_object();
    rows.push_back({text_of(target, "target"), text_of(target, "member"), text_of(target, "zone"),
                    text_of(target, "state"), text_of(target, "in_flight"),
                    text_of(target, "usual_ms"), remark(target)});
  }
  std::fputs(table_text(rows).c_str(), stdout);
}

void add_classes(const Options& options, bj::object& body) {
  std::string data;
  for (const auto& name : options.data) data += (data.empty() ? "" : ",") + name;
  if (data.empty()) return;
  bj::value& metadata = body["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  metadata.as_object()["data"] = data;
}

Result<bj::object> body_of(const Options& options) {
  if (options.file.empty()) {
    bj::object body{{"model", options.model},
                    {"messages", {{{"role", "user"}, {"content", options.prompt}}}}};
    add_classes(options, body);
    return body;
  }
  std::ifstream file(options.file);
  std::istream& from = options.file == "-" ? std::cin : file;
  const std::string text{std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
  bj::error_code failed;
  bj::value value = bj::parse(text, failed);
  if (failed || !value.is_object()) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                options.file + " does not hold a request's body, which is a JSON object.");
  }
  bj::object body = std::move(value.as_object());
  if (!options.model.empty()) body["model"] = options.model;
  add_classes(options, body);
  return body;
}

int explain(const Options& options, AdminClient& admin) {
  auto body = body_of(options);
  if (!body) return tell(body.error());
  bj::array roles;
  for (const auto& role : options.roles) roles.emplace_back(role);
  const bj::object asked{{"explain", true},          {"path", options.path},
                         {"body", std::move(*body)}, {"tenant", options.tenant},
                         {"user", options.user},     {"roles", std::move(roles)}};
  const auto reply = admin.call(http::Method::Post, "/api/playground", bj::serialize(asked));
  if (!reply) return tell(reply.error());
  bj::error_code failed;
  const bj::value value = bj::parse(reply->body, failed);
  if (failed || reply->status != 200 || !value.is_object()) {
    const bj::value* message = failed ? nullptr : value.find_pointer("/error/message", failed);
    return tell(message && message->is_string() ? std::string_view(message->as_string())
                                                : std::string_view(reply->body));
  }
  if (options.json) {
    std::printf("%s\n", reply->body.c_str());
  } else {
    print(value.as_object());
  }
  return 0;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Where requests go.", "causeway route");
  app.require_subcommand(1);
  Options options;
  auto* verb = app.add_subcommand(
      "explain",
      "Which targets a request would be sent to, in which order, and why. Nothing is "
      "sent; what the policies look for in texts is looked for.");
  verb->add_option("model", options.model, "The model that is asked for.");
  verb->add_option("--prompt", options.prompt, "What the user says.")->capture_default_str();
  verb->add_option("--file", options.file,
                   "The body of a request instead, as JSON; - reads it from the standard input.");
  verb->add_option("--path", options.path, "The operation's path.")->capture_default_str();
  verb->add_option("--tenant", options.tenant, "Whose request it is.");
  verb->add_option("--user", options.user, "Which user's.");
  verb->add_option("--role", options.roles, "A role of the caller; may stand several times.");
  verb->add_option("--data-class", options.data,
                   "A class of data that the application names; may stand several times.");
  verb->add_flag("--json", options.json, "As the program answers.");
  std::vector<std::string> reversed(args.rbegin(), args.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.model.empty() && options.file.empty()) {
    tell("say which model, or give a request with --file");
    return 2;
  }
  return explain(options, admin);
}

}  // namespace

std::string quota_remark(const bj::object& target) {
  const bj::value* found = target.if_contains("quota");
  if (!found || !found->is_object()) return {};
  const std::string wait = text_of(found->get_object(), "wait_ms");
  const std::string waiting = text_of(found->get_object(), "waiting");
  if (wait == "0" && waiting == "0") return {};
  return "quota used up for " + wait + " ms, " + waiting + (waiting == "1" ? " waits" : " wait");
}

Verb route_verb() { return {"route", "Where a request would go, and why", run}; }

}  // namespace causeway::routing
