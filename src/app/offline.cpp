#include "app/offline.h"

#include "app/admin_server.h"
#include "features/access/keys/feature.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"
#include "platform/store/store.h"

namespace causeway::app {
namespace {

class Offline final : public AdminClient {
 public:
  static Result<std::unique_ptr<AdminClient>> open(const std::string& data, Error not_running) {
    auto folder = store::DataFolder::open(data);
    if (!folder) return pass(std::move(folder));
    auto offline =
        std::unique_ptr<Offline>(new Offline(std::move(*folder), std::move(not_running)));
    auto opened = store::Store::open(offline->folder_);
    if (!opened) return pass(std::move(opened));
    offline->store_ = std::move(*opened);
    auto ring = keys::KeyRing::open(*offline->store_, offline->folder_, offline->clock_);
    if (!ring) return pass(std::move(ring));
    offline->ring_ = std::move(*ring);
    offline->workers_ = std::make_unique<WorkerGroup>("worker", 1, 16);
    net::Loop& loop = offline->loop_;
    offline->keys_ = std::make_unique<keys::KeysFeature>(
        *offline->ring_, offline->slots_, *offline->workers_,
        [&loop](std::move_only_function<void()> action) { loop.post(std::move(action)); },
        offline->clock_);
    offline->admin_ = std::make_unique<AdminServer>(
        loop, offline->keys_->routes(), [](std::string_view) { return AdminCaller{}; },
        std::vector<std::string>{});
    return std::unique_ptr<AdminClient>(std::move(offline));
  }

  Result<AdminReply> call(http::Method method, const std::string& path_and_query,
                          const std::string& body) override {
    AdminReply reply;
    bool served = false;
    loop_.post([&] { spawn(handle(method, path_and_query, body, reply, served)); });
    loop_.run();
    if (!served) return std::unexpected(not_running_);
    return reply;
  }

 private:
  Offline(store::DataFolder folder, Error not_running)
      : folder_(std::move(folder)), not_running_(std::move(not_running)) {}

  Task<void> handle(http::Method method, const std::string& target, const std::string& body,
                    AdminReply& reply, bool& served) {
    // A named value: g++ 12 copies the bytes of a braced temporary inside a co_await.
    AdminCaller caller{AdminRight::Full, "cli"};
    reply = co_await admin_->handle(method, target, body, std::move(caller));
    // A route that is not here belongs to the running program.
    served = reply.status != 404 || target.starts_with("/api/keys");
    loop_.stop();
  }

  store::DataFolder folder_;
  Error not_running_;
  SystemClock clock_;
  SlotLayout slots_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<keys::KeyRing> ring_;
  net::Loop loop_{-1};
  std::unique_ptr<keys::KeysFeature> keys_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<WorkerGroup> workers_;  // ends first: its jobs use all of the above
};

}  // namespace

Result<std::unique_ptr<AdminClient>> make_offline_client(const std::string& data,
                                                         Error not_running) {
  return Offline::open(data, std::move(not_running));
}

}  // namespace causeway::app
