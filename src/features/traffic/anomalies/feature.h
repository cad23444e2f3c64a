// The feature "anomalies": spikes are blocked, and operators see, add and remove blocks.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/traffic/anomalies/stage.h"
#include "platform/base/worker.h"
#include "platform/metrics/registry.h"

namespace causeway::anomalies {

class AnomaliesFeature final : public Feature {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  /// The name of the live application key that has this id or name. Errors: for the operator.
  /// Called by a worker.
  using KeyName = std::function<Result<std::string>(std::string_view id_or_name)>;
  struct Parts {
    store::Store& store;
    log::Log& log;
    const Clock& clock;
    WorkerGroup& workers;
    Post post;  // onto the loop of the admin port
    KeyName key_name;
  };
  AnomaliesFeature(Parts parts, const AnomalySettings& settings);
  /// Blocks of before. Errors: of the store.
  Result<void> load() { return blocks_.load(); }
  void configure(const AnomalySettings& settings) { guard_.configure(settings); }
  void declare_metrics(metrics::Registry& metrics);

  std::string_view name() const override { return "anomalies"; }
  std::vector<Stage*> stages() override { return {&address_, &caller_}; }
  std::vector<AdminRoute> routes() override;

 private:
  Task<AdminReply> list() const;
  Task<AdminReply> add(AdminRequest request);
  Task<AdminReply> remove(AdminRequest request);

  Parts parts_;
  Blocks blocks_;
  Guard guard_;
  AddressStage address_{guard_};
  CallerStage caller_{guard_};
};

/// `causeway blocks`.
Verb blocks_verb();

}  // namespace causeway::anomalies
