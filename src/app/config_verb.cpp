// `causeway config`: the file of the running gateway, as the console shows and changes it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "app/client_verbs.h"
#include "core/verb_output.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

namespace json = boost::json;

int show(AdminClient& admin, bool as_json) {
  const auto reply = admin.call(http::Method::Get, "/api/config", "");
  const auto value = parsed(reply);
  if (!value) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
    return 0;
  }
  const std::string why = text_of(*value, "why_not");
  if (why != "-") std::fprintf(stderr, "Not to be changed here: %s.\n", why.c_str());
  std::fputs(json::value_to<std::string>(value->at("text")).c_str(), stdout);
  return 0;
}

void print_problems(const json::object& value, const std::string& file) {
  const auto* problems = value.if_contains("problems");
  if (!problems || !problems->is_array()) return;
  for (const auto& entry : problems->as_array()) {
    const auto& problem = entry.as_object();
    std::fprintf(stderr, "%s:%s:%s: %s\n", file.c_str(), text_of(problem, "line").c_str(),
                 text_of(problem, "column").c_str(), text_of(problem, "message").c_str());
  }
}

// The edit is of the file as the gateway has it now, whose hash is asked for first.
Result<std::string> body_for(AdminClient& admin, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(ErrorKind::NotFound, Origin::Client, file + " cannot be read", "no_config");
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto reply = admin.call(http::Method::Get, "/api/config", "");
  if (!reply) return std::unexpected(reply.error());
  boost::system::error_code bad;
  const auto value = json::parse(reply->body, bad);
  const auto* hash = bad || !value.is_object() ? nullptr : value.as_object().if_contains("sha256");
  std::string body;
  text::JsonWriter writer(body);
  writer.begin_object().field("text", text);
  writer.field("sha256", hash && hash->is_string() ? std::string_view(hash->as_string()) : "");
  writer.end_object();
  return body;
}

// What the reply says of the file, errors included, or what went wrong otherwise.
int tell_reply(const Result<AdminReply>& reply, const std::string& file, bool as_json) {
  boost::system::error_code bad;
  const auto value = reply ? json::parse(reply->body, bad) : json::value();
  const bool object = reply && !bad && value.is_object();
  if (object) print_problems(value.as_object(), file);
  const auto told = parsed(reply);
  if (!told) return 1;
  if (as_json) {
    std::printf("%s\n", reply->body.c_str());
  } else if (const auto* diff = told->if_contains("diff")) {
    std::fputs(json::value_to<std::string>(*diff).c_str(), stdout);
    const std::string late = text_of(*told, "restart_needed");
    if (late != "-") std::fprintf(stderr, "In force after a restart only: %s\n", late.c_str());
  } else {
    std::printf("Version %s is in force.\n", text_of(*told, "version").c_str());
  }
  return 0;
}

}  // namespace

int config_verb(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("The configuration file of the running gateway, without its secrets.",
               "causeway config");
  app.require_subcommand(1);
  bool as_json = false;
  std::string file;
  auto* shown = app.add_subcommand("show", "Print it: what is secret reads <kept-1>, <kept-2>, …");
  auto* diff = app.add_subcommand("diff", "What FILE in its place would change, and its problems");
  auto* put = app.add_subcommand("put", "Put FILE in its place and load it; <kept-…> come back");
  for (auto* verb : {shown, diff, put}) verb->add_flag("--json", as_json, "The reply as JSON");
  for (auto* verb : {diff, put}) verb->add_option("file", file, "The edited file")->required();
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  if (*shown) return show(admin, as_json);
  const auto body = body_for(admin, file);
  if (!body) return tell(body.error());
  const auto reply = *diff ? admin.call(http::Method::Post, "/api/config/check", *body)
                           : admin.call(http::Method::Put, "/api/config", *body);
  return tell_reply(reply, file, as_json);
}

}  // namespace causeway::app
