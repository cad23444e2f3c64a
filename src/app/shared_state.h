// What all replicas share (`shared_state` of the configuration): a Redis client on each loop, one
// line in the log when Redis stops or begins to answer, its state and metrics.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "platform/log/log.h"
#include "platform/metrics/registry.h"
#include "platform/redis/client.h"
#include "platform/redis/settings.h"

namespace causeway::app {

struct LoopUnit;

/// Outlives the loops. Without `shared_state.redis` nothing is made.
class SharedState {
 public:
  SharedState(const SharedStateConfig& config, log::Log& log, metrics::Registry& metrics);

  /// Before the loop's thread begins.
  void attach(LoopUnit& unit);
  /// "off", "answers", "lost", or "connecting" while it is not known.
  std::string text() const;

 private:
  void note(const redis::Client& client, std::size_t place, bool answers);
  void declare_metrics(metrics::Registry& metrics);

  std::optional<redis::Settings> settings_;
  log::Log& log_;
  std::vector<const redis::Client*> clients_;  // one a loop; complete before the threads begin
  mutable std::mutex mutex_;                   // of states_
  std::vector<std::optional<bool>> states_;    // as each loop last said
};

}  // namespace causeway::app
