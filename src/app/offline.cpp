#include "app/offline.h"

#include <cstdlib>
#include <filesystem>

#include "app/admin_server.h"
#include "app/features.h"
#include "app/found_servers.h"
#include "app/model_list.h"
#include "app/store_routes.h"
#include "app/vocabulary.h"
#include "engine/engine.h"
#include "engine/places.h"
#include "features/access/keys/feature.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"
#include "platform/store/store.h"

namespace causeway::app {
namespace {

const char* environment(const char* name) { return std::getenv(name); }

/// The routes that work on a data folder.
class OpenFolder {
 public:
  static Result<std::unique_ptr<OpenFolder>> open(const std::string& data,
                                                  const ServerConfig& server) {
    auto folder = store::DataFolder::open(data);
    if (!folder) return pass(std::move(folder));
    auto self = std::unique_ptr<OpenFolder>(new OpenFolder(std::move(*folder)));
    auto opened = store::Store::open(self->folder_);
    if (!opened) return pass(std::move(opened));
    self->store_ = std::move(*opened);
    auto sealed = store::Sealed::open(*self->store_, self->folder_,
                                      {server.master_key, server.previous_master_keys});
    if (!sealed) return pass(std::move(sealed));
    self->sealed_ = std::move(*sealed);
    auto ring = keys::KeyRing::open(*self->store_, self->folder_, self->clock_);
    if (!ring) return pass(std::move(ring));
    self->ring_ = std::move(*ring);
    self->make_routes();
    return self;
  }

  AdminReply call(http::Method method, const std::string& target, const std::string& body) {
    AdminReply reply;
    loop_.post([&] { spawn(handle(method, target, body, reply)); });
    loop_.run();
    return reply;
  }

 private:
  explicit OpenFolder(store::DataFolder folder) : folder_(std::move(folder)) {}

  void make_routes() {
    workers_ = std::make_unique<WorkerGroup>("worker", 1, 16);
    const auto post = [this](std::move_only_function<void()> action) {
      loop_.post(std::move(action));
    };
    keys_ = std::make_unique<keys::KeysFeature>(*ring_, slots_, *workers_, post, clock_);
    auto routes = keys_->routes();
    for (auto& route : store_routes(*sealed_, *workers_, post)) routes.push_back(std::move(route));
    admin_ = std::make_unique<AdminServer>(loop_, std::move(routes),
                                           [](const http::RequestHead&) { return AdminCaller{}; });
  }

  Task<void> handle(http::Method method, const std::string& target, const std::string& body,
                    AdminReply& reply) {
    // A named value: g++ 12 copies the bytes of a braced temporary inside a co_await.
    AdminCaller caller{AdminRight::Full, "cli"};
    reply = co_await admin_->handle(method, target, body, std::move(caller));
    loop_.stop();
  }

  store::DataFolder folder_;
  SystemClock clock_;
  SlotLayout slots_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Sealed> sealed_;
  std::unique_ptr<keys::KeyRing> ring_;
  net::Loop loop_{-1};
  std::unique_ptr<keys::KeysFeature> keys_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<WorkerGroup> workers_;  // ends first: its jobs use all of the above
};

class Offline final : public AdminClient {
 public:
  Offline(Where where, Error not_running)
      : where_(std::move(where)), not_running_(std::move(not_running)) {}

  Result<AdminReply> call(http::Method method, const std::string& path_and_query,
                          const std::string& body) override {
    if (path_and_query == "/api/models") return models();
    const bool on_folder =
        path_and_query.starts_with("/api/keys") || path_and_query.starts_with("/api/store");
    if (!on_folder) return std::unexpected(not_running_);
    if (!folder_) {
      const bool makes_key = method == http::Method::Post && path_and_query == "/api/keys";
      if (auto opened = open_folder(makes_key); !opened) return pass(std::move(opened));
    }
    return folder_->call(method, path_and_query, body);
  }

 private:
  Result<AdminReply> models() const {
    auto config = read_where(where_, Vocabulary(), environment);
    if (!config) return pass(std::move(config));
    if (where_.config_path.empty()) add_found_servers(*config);
    auto engine = embedded_models(*config, engine::find_places(executable_path()));
    if (!engine) return pass(std::move(engine));
    return models_reply(models_of(*config, *engine, nullptr), "configuration", "",
                        where_.config_path);
  }

  Result<void> open_folder(bool may_make) {
    auto data = data_folder(where_);
    if (!data) return pass(std::move(data));
    std::error_code ignored;
    if (!may_make &&
        !std::filesystem::exists(std::filesystem::path(*data) / "causeway.db", ignored)) {
      return fail(ErrorKind::NotFound, Origin::Us,
                  "there is no data folder at " + shown_path(*data) +
                      "; `causeway serve` makes it, and --data DIR names another",
                  "no_data_folder");
    }
    auto config = read_where(where_, Vocabulary(), environment);
    if (!config) return pass(std::move(config));
    auto opened = OpenFolder::open(*data, config->server);
    if (!opened) return pass(std::move(opened));
    folder_ = std::move(*opened);
    return {};
  }

  Where where_;
  Error not_running_;
  std::unique_ptr<OpenFolder> folder_;
};

}  // namespace

std::unique_ptr<AdminClient> make_offline_client(Where where, Error not_running) {
  return std::make_unique<Offline>(std::move(where), std::move(not_running));
}

}  // namespace causeway::app
