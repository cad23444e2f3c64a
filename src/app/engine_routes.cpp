// /api/engine: the models that Causeway runs itself.
#include "app/engine_routes.h"

#include "core/engine.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

constexpr std::size_t kLogLines = 20;

void write_model(text::JsonWriter& json, const EngineStatus& status) {
  json.begin_object().field("name", status.entry.name).field("about", status.entry.about);
  json.key("aliases").begin_array();
  for (const auto& alias : status.entry.aliases) json.string(alias);
  json.end_array();
  json.field("kind", status.entry.kind == EngineModelKind::Chat ? "chat" : "embeddings");
  json.field("state", to_string(status.state)).key("reason");
  status.reason.empty() ? json.null() : json.string(status.reason);
  json.field("file", status.file).field("file_bytes", status.file_bytes);
  json.field("fetched_bytes", status.fetched_bytes);
  json.field("fetch_total_bytes", status.fetch_total_bytes);
  json.field("pid", static_cast<std::int64_t>(status.pid));
  json.field("slots_busy", status.slots_busy).field("slots_total", status.slots_total);
  json.field("waiting", status.waiting).field("memory_mib", status.resident_bytes >> 20);
  json.key("tokens_per_second").fixed(static_cast<std::int64_t>(status.tokens_per_second * 10), 1);
  json.field("tokens_total", status.tokens_total).field("requests_total", status.requests_total);
  json.field("load_ms", status.load_time.count()).field("restarts", status.restarts);
  json.field("context", status.entry.context).field("licence", status.entry.licence);
  json.key("log").begin_array();
  for (const auto& line : status.log) json.string(line);
  json.end_array().end_object();
}

Task<AdminReply> list(Engine& engine, std::string why) {
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("models").begin_array();
  for (const auto& status : engine.status(kLogLines)) write_model(json, status);
  json.end_array();
  json.key("problem");
  why.empty() ? json.null() : json.string(why);
  json.end_object();
  co_return reply;
}

Task<AdminReply> act(Engine& engine, std::string model, std::string action) {
  const auto done = action == "load"     ? engine.load(model)
                    : action == "unload" ? engine.unload(model)
                                         : engine.pull(model);
  if (!done) co_return admin_error(done.error());
  AdminReply reply;
  reply.status = 202;
  reply.body = R"({"status":"begun"})";
  co_return reply;
}

}  // namespace

std::vector<AdminRoute> engine_routes(Engine& engine, std::function<std::string()> problem) {
  std::vector<AdminRoute> routes;
  routes.push_back(
      {http::Method::Get, "/api/engine", "Models of the engine, with the last log lines.", false,
       [&engine, problem = std::move(problem)](AdminRequest) { return list(engine, problem()); }});
  for (const char* action : {"load", "unload", "pull"}) {
    routes.push_back({http::Method::Post, std::string("/api/engine/{model}/") + action,
                      std::string("Begins to ") + action + " a model.", true,
                      [&engine, action](AdminRequest request) {
                        return act(engine, request.params["model"], action);
                      }});
  }
  return routes;
}

}  // namespace causeway::app
