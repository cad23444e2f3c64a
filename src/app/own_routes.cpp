// Routes of the admin port that belong to the program itself: probes, reload, models, status.
#include <unistd.h>

#include <algorithm>

#include "app/engine_routes.h"
#include "app/features.h"
#include "app/model_list.h"
#include "app/program.h"
#include "app/store_routes.h"
#include "app/where.h"
#include "core/provider.h"
#include "engine/engine.h"
#include "engine/places.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/metrics/overview.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

AdminReply json_reply(std::string body, int status = 200) {
  AdminReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

AdminReply state_reply(bool good, std::string_view word) {
  return json_reply("{\"status\":\"" + std::string(word) + "\"}", good ? 200 : 503);
}

Task<AdminReply> ready(std::atomic<bool>& ready) {
  const bool is = ready.load();
  co_return state_reply(is, is ? "ready" : "not_ready");
}

Task<AdminReply> alive() { co_return state_reply(true, "ok"); }

}  // namespace

Task<AdminReply> list_routes(const std::vector<AdminRoute>& routes) {
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("routes").begin_array();
  for (const AdminRoute& route : routes) {
    json.begin_object().field("method", http::to_string(route.method)).field("path", route.path);
    json.field("needs", route.open ? "nothing" : route.changes ? "full" : "read");
    json.field("summary", route.summary).end_object();
  }
  json.end_array().end_object();
  co_return reply;
}

namespace {

Task<AdminReply> reload_now(Program& program) {
  auto reloading = program.reload();
  auto loaded = co_await std::move(reloading);
  if (!loaded) {
    Error error = std::move(loaded).error();
    AdminReply reply;
    reply.status = 422;
    text::JsonWriter json(reply.body);
    json.begin_object().key("error").begin_object();
    json.field("code", "bad_config").field("message", error.message).key("problems").begin_array();
    std::string_view rest = error.message;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      if (end > 0) json.string(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    json.end_array().end_object().end_object();
    co_return reply;
  }
  if (loaded->keys_pending.empty()) co_return json_reply(R"({"status":"loaded"})");
  AdminReply reply;
  reply.status = 202;
  text::JsonWriter json(reply.body);
  json.begin_object().field("status", "loaded").field("keys_pending", loaded->keys_pending);
  json.end_object();
  co_return reply;
}

// Why models that one expects are not there; empty where nothing is wrong.
std::string engine_problem(const Engine& engine, const AppConfig& config) {
  const auto is_embedded = [](const auto& one) { return one.value.kind() == "embedded"; };
  if (std::ranges::none_of(config.providers, is_embedded)) return "no provider of kind embedded";
  return engine.no_catalogue();
}

// Whether embedded models could answer, in a line.
std::string engine_text(const Engine& engine, const AppConfig& config,
                        const engine::Places& places) {
  const auto models = engine.status();
  if (models.empty()) return engine_problem(engine, config);
  if (const auto program = engine::find_program(places); !program) return program.error().message;
  std::string loaded;
  for (const auto& model : models) {
    if (model.state != EngineState::Ready) continue;
    loaded += (loaded.empty() ? "" : ", ") + model.entry.name;
  }
  return loaded.empty() ? "ready; models are loaded when asked for" : "ready; loaded: " + loaded;
}

}  // namespace

Task<AdminReply> Program::models() {
  co_return models_reply(models_of(config_, engine_->models(), &listings_), "gateway",
                         listen_text(), options_.config_path);
}

Task<AdminReply> Program::status() {
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("version", CAUSEWAY_VERSION);
  json.field("ready", ready_.load()).field("draining", gate_.draining.load());
  json.field("running_requests", gate_.running.load());
  json.field("loops", loops_->count());
  json.field("listen", listen_text()).field("admin", admin_text());
  json.field("pid", static_cast<std::int64_t>(getpid()));
  json.field("data", shown_path(folder_->path().string()));
  json.field("config", options_.config_path).field("config_version", config_version_);
  json.field("config_problems", reload_problem_).field("keys_pending", keys_pending_);
  json.key("replica_problems").begin_array();
  for (const auto& problem : replica_sources_->problems()) json.string(problem);
  json.end_array();
  json.field("uptime_seconds",
             std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_).count());
  json.field("unfolded_settlements", ledger_->unfolded());
  json.field("engine", engine_text(*engine_, config_, engine::find_places(executable_path())));
  json.field("access_log", access_log_ ? access_target() : "off");
  json.field("shared_state", shared_state_->text());
  json.field("access_log_dropped", access_log_ ? access_log_->dropped() : 0);
  const auto& history = metrics_feature_->history();
  json.field("history_seconds", history.reach().count()).field("history_bytes", history.bytes());
  const metrics::Overview last_hour(history, std::chrono::hours(1));
  json.key("last_hour").begin_object();
  last_hour.write_totals(json);
  json.end_object();
  json.end_object();
  co_return reply;
}

std::vector<AdminRoute> Program::own_routes() {
  using http::Method;
  std::vector<AdminRoute> routes;
  const auto add = [&](Method method, std::string path, std::string summary, bool changes,
                       std::function<Task<AdminReply>(AdminRequest)> handle) {
    routes.push_back({method, std::move(path), std::move(summary), changes, std::move(handle)});
  };
  add(Method::Get, "/livez", "Whether the process works.", false,
      [](AdminRequest) { return alive(); });
  add(Method::Get, "/healthz", "The same, under the name that some probes want.", false,
      [](AdminRequest) { return alive(); });
  add(Method::Get, "/readyz", "Whether requests are taken: 200, or 503 while starting or draining.",
      false, [this](AdminRequest) { return ready(ready_); });
  for (auto& probe : routes) probe.open = true;
  add(Method::Post, "/api/reload", "Reads the configuration again; 422 with every problem.", true,
      [this](AdminRequest) { return reload_now(*this); });
  add(Method::Get, "/api/models", "What applications may ask for, and what that stands for.", false,
      [this](AdminRequest) { return models(); });
  add(Method::Get, "/api/status", "How the program is.", false,
      [this](AdminRequest) { return status(); });
  add(Method::Get, "/api/providers", "Who answers, for which models, and how it went lately.",
      false, [this](AdminRequest) { return providers(); });
  config_routes_ = std::make_unique<ConfigRoutes>(config_parts());
  for (auto& route : config_routes_->routes()) routes.push_back(std::move(route));
  for (auto& route : engine_routes(*engine_, [this] { return engine_problem(*engine_, config_); }))
    routes.push_back(std::move(route));
  for (auto& route : store_routes(
           *sealed_, *workers_,
           [this](std::move_only_function<void()> action) { control_.post(std::move(action)); })) {
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace causeway::app
