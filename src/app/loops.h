// The event loops that serve applications: one thread each with its own listening socket, client
// pools, runner, and its own view of snapshot and keys. Nothing is shared but what says so.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "app/config.h"
#include "app/listen_address.h"
#include "core/exchange.h"
#include "core/snapshot.h"
#include "exchange/ask.h"
#include "exchange/remote_ask.h"
#include "exchange/runner.h"
#include "features/access/keys/ring.h"
#include "platform/base/pinned.h"
#include "platform/base/worker.h"
#include "platform/http/client.h"
#include "platform/http/server.h"
#include "platform/metrics/registry.h"
#include "platform/net/loop.h"
#include "platform/redis/client.h"

namespace causeway::app {

struct LoopUnit {
  explicit LoopUnit(int index, std::shared_ptr<const Snapshot> first, const Clock& clock,
                    std::unique_ptr<keys::LoopKeys> loop_keys, exchange::SettingKeys setting_keys);

  net::Loop loop;
  std::unique_ptr<http::Client> client;
  LoopContext context;
  Pinned<Snapshot> snapshots;
  std::unique_ptr<keys::LoopKeys> keys;
  exchange::Runner runner;
  exchange::RunnerAsker asker;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<redis::Client>
      redis;  // of shared_state; null = off. Ends before who waits for it
  std::thread thread;
};

class Loops {
 public:
  /// `files` outlives the threads, not the loops: its jobs come back to them.
  Loops(int count, std::shared_ptr<const Snapshot> first, const Clock& clock, keys::KeyRing& ring,
        exchange::SettingKeys setting_keys, WorkerGroup& files, const std::string& data_folder);
  /// stop() first.
  ~Loops();

  int count() const { return static_cast<int>(units_.size()); }
  LoopUnit& unit(int index) { return *units_[static_cast<std::size_t>(index)]; }

  /// Listens on every loop and starts the threads. With port 0 all share the one that was picked.
  /// `starved` is called on any of them as http::Server::on_starved() says.
  Result<void> start(const ListenAddress& address, const http::ServerLimits& limits,
                     const std::function<void()>& starved);
  std::uint16_t port() const { return port_; }

  /// core's ask() for another loop, the one that `home` posts to.
  std::unique_ptr<exchange::RemoteAsker> asker_from(exchange::RemoteAsker::Post home);

  /// Brings something to every loop, then calls `everywhere` on the last one to have it.
  void on_each(std::function<void(LoopUnit&)> act, std::move_only_function<void()> everywhere);

  /// No new connections; running exchanges go on.
  void drain();
  /// Exchanges that are running, as each loop last said.
  std::size_t running();
  /// By loop. From any thread.
  std::vector<net::Loop::Lateness> lateness() const;
  /// causeway_loop_*.
  void declare_metrics(metrics::Registry& registry);
  /// Ends the threads now.
  void stop();

 private:
  std::vector<std::unique_ptr<LoopUnit>> units_;
  WorkerGroup cpu_;  // ends before the loops: its jobs come back to them
  std::uint16_t port_ = 0;
  bool started_ = false;
};

/// What the data port's limits are in the configuration.
http::ServerLimits server_limits(const ServerConfig& config);

}  // namespace causeway::app
