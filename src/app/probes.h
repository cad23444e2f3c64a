// Asks each member of the providers that want it, every so often, whether it is well, and tells
// those who choose among them. Lives on one loop.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "core/snapshot.h"
#include "core/upstream_config.h"
#include "platform/base/cancel.h"
#include "platform/base/task.h"
#include "platform/log/log.h"
#include "platform/net/loop.h"

namespace causeway::app {

class Probes {
 public:
  struct Parts {
    net::Loop& loop;
    http::Client& client;
    log::Log& log;
    /// Told on every change, and as long as a member is not well.
    std::function<void(std::string_view provider, std::string_view member, bool well)> tell;
  };
  /// What `parts` refers to outlives this.
  explicit Probes(Parts parts) : parts_(std::move(parts)) {}

  /// From now on the members of `snapshot` are asked whose provider is among `probed`; what is
  /// known of those that were asked before stays.
  void configure(std::shared_ptr<const Snapshot> snapshot,
                 const std::map<std::string, ProbeConfig>& probed);
  /// Asks those whose time has come; to be called a few times a second.
  void tick();

  /// What is known of it; nothing = not asked, or not often enough.
  std::optional<bool> well(const std::string& provider, const std::string& member) const;
  /// Ends the calls that run.
  void close();
  bool idle() const { return running_.empty(); }

 private:
  using Key = std::pair<std::string, std::string>;  // provider and member
  struct Asked {
    ProbeConfig config;
    std::shared_ptr<const Snapshot> snapshot;  // which `provider` is part of
    const Provider* provider = nullptr;
    Monotonic next{};
    bool running = false;
    std::optional<bool> well;
    bool last = false;
    std::uint32_t in_a_row = 0;  // of `last`
  };

  Task<void> ask(Key key, Asked asked);
  void judge(const Key& key, Asked& asked, bool well);
  std::chrono::milliseconds part_of(std::chrono::milliseconds time, double from, double to);

  Parts parts_;
  std::map<Key, Asked> asked_;
  std::list<Cancel> running_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace causeway::app
