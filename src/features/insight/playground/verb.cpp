// `causeway replay`: asks a recorded request again, of the same model or another one.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "core/verb_output.h"
#include "features/insight/playground/feature.h"

namespace causeway::playground {
namespace {

namespace bj = boost::json;

// The data of the last event of that name; "" where there is none.
std::string data_of(const std::string& events, const std::string& name) {
  const std::string head = "event: " + name + "\ndata: ";
  const auto at = events.rfind(head);
  if (at == std::string::npos) return {};
  return events.substr(at + head.size(), events.find("\n\n", at) - at - head.size());
}

std::string member(const std::string& object, bj::string_view name) {
  bj::error_code failed;
  const bj::value value = bj::parse(object, failed);
  if (failed || !value.is_object()) return {};
  const bj::value* found = value.as_object().if_contains(name);
  if (found && found->is_object()) found = found->as_object().if_contains("message");
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

// All texts that stand in members "content", "text" or "parts" of an answer, whatever dialect it is
// of; the bytes themselves where there are none.
void collect_text(const bj::value& value, std::string& out) {
  if (value.is_array()) {
    for (const bj::value& one : value.as_array()) collect_text(one, out);
  }
  if (!value.is_object()) return;
  for (const auto& [name, inner] : value.as_object()) {
    if ((name == "content" || name == "text") && inner.is_string()) {
      if (!out.empty()) out += '\n';
      out += std::string_view(inner.as_string());
    } else if (name == "choices" || name == "message" || name == "content" ||
               name == "candidates" || name == "parts" || name == "output") {
      collect_text(inner, out);
    }
  }
}

std::string text_of(const std::string& answer) {
  bj::error_code failed;
  const bj::value value = bj::parse(answer, failed);
  std::string text;
  if (!failed) collect_text(value, text);
  return text.empty() ? answer : text;
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "Sends a recorded request again, as it went out then. Its contents must have been kept: a "
      "policy says `traces: { contents: on }`.",
      "causeway replay");
  std::string id, model;
  bool json = false;
  app.add_option("ID", id, "x-request-id of the answer, or its trace id")->required();
  app.add_option("--model", model, "ask this model, or provider/model, instead");
  app.add_flag("--json", json, "print what came and what was sent as JSON");
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  bj::object body{{"trace", id}, {"stream", false}};
  if (!model.empty()) body["model"] = model;
  auto reply = admin.call(http::Method::Post, "/api/playground", bj::serialize(body));
  if (!reply) return tell(reply.error());
  if (reply->status != 200) return tell(member(reply->body, "error"));
  if (const auto error = data_of(reply->body, "error"); !error.empty()) {
    return tell(member(error, "message"));
  }
  const std::string answer = member(data_of(reply->body, "piece"), "data");
  const std::string done = data_of(reply->body, "done");
  if (json) {
    std::printf("{\"answer\":%s,\"done\":%s}\n", answer.c_str(), done.c_str());
  } else {
    std::printf("%s\n", text_of(answer).c_str());
  }
  return 0;
}

}  // namespace

Verb replay_verb() { return {"replay", "Send a recorded request again.", run}; }

}  // namespace causeway::playground
