// Where the replicas of providers are found while the program runs: a name of the DNS, or a file.
// Each source is looked at every so often; one that fails, or has nothing, keeps what it said
// before. Lives on one loop.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/upstream_config.h"
#include "platform/base/cancel.h"
#include "platform/base/task.h"
#include "platform/log/log.h"
#include "platform/net/dns.h"
#include "platform/net/loop.h"

namespace causeway::app {

/// The lines of a file of replicas, without what is behind a #. Errors: InvalidRequest for a line
/// that is none, more than kMostMembers, or nothing at all.
Result<std::vector<std::string>> replica_lines(std::string_view text);

class ReplicaSources {
 public:
  struct Options {
    std::function<void()> changed;      // what found() says is other than before
    net::Resolver::Options resolver{};  // other than the system's in tests
  };
  /// `loop` and `log` outlive this.
  ReplicaSources(net::Loop& loop, log::Log& log, Options options);

  /// What the source has said last: addresses, or lines of a file. One that is new is remembered;
  /// a file is read at once, a name is looked up in the next turn. Nothing listed: empty.
  const std::vector<std::string>& found(const ReplicasConfig& source);
  /// All others are forgotten.
  void keep(const std::vector<ReplicasConfig>& sources);
  /// Looks at those whose time has come; to be called a few times a second.
  void tick();

  /// One line for each source that fails now.
  std::vector<std::string> problems() const;
  /// Ends the lookups that run.
  void close();
  bool idle() const { return running_.empty(); }

 private:
  struct Source {
    ReplicasConfig config;
    std::vector<std::string> found;
    std::string problem;
    Monotonic next{};
    bool running = false;
  };
  using Sources = std::map<std::string, Source>;  // by what is shown of it: "dns gpu.internal"

  void read(const std::string& name, Source& source);
  Task<void> look_up(std::string name);
  void take(const std::string& name, Source& source, Result<std::vector<std::string>> now);

  net::Loop& loop_;
  log::Log& log_;
  Options options_;
  net::Resolver resolver_;
  Sources sources_;
  std::list<Cancel> running_;
  bool changed_ = false;
};

}  // namespace causeway::app
