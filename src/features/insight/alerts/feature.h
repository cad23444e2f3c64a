// The feature "alerts": its stage, the look at all rules every step, receivers, routes below
// /api/alerts, verb and metrics. All but the stage and the sends runs on the control loop.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/insight/alerts/board.h"
#include "features/insight/alerts/loop_lag.h"
#include "features/insight/alerts/makers.h"
#include "features/insight/alerts/notifier.h"
#include "features/insight/alerts/outlet.h"
#include "features/insight/alerts/silences.h"
#include "features/insight/alerts/stage.h"
#include "platform/base/worker.h"
#include "platform/metrics/registry.h"

namespace causeway::alerts {

/// A target that its provider has said to end.
struct Retiring {
  std::string target;
  std::chrono::sys_days day;
  std::string source;  // who says so
};

/// A budget whose soft part has been spent.
struct NearlySpent {
  std::string limit, subject;
  Wall until;  // then it is new
};

class AlertsFeature final : public Feature {
 public:
  /// Puts a callback on the loop that serves the admin port.
  using Post = std::function<void(std::move_only_function<void()>)>;

  struct Parts {
    store::Store& store;
    WorkerGroup& workers;
    Post post;
    const Clock& clock;
    log::Log& log;
    int loops;
    std::function<std::vector<NearlySpent>(Wall now)> nearly_spent;  // may be empty
    std::function<std::vector<net::Loop::Lateness>()> lateness;      // by loop
  };
  AlertsFeature(Parts parts, const AlertSettings& settings);

  /// Reads what is kept. Before the first tick.
  Result<void> load();
  /// With every configuration; on the control loop.
  void configure(const AlertSettings& settings, std::vector<Retiring> retiring);
  /// Every `step`, on the control loop.
  void tick();
  /// causeway_alerts_*.
  void declare_metrics(metrics::Registry& registry);

  std::string_view name() const override { return "alerts"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

 private:
  std::vector<Event> events(Wall wall);
  void tell(const Message& message);
  void log_began(const Alert& alert);
  Task<AdminReply> list();
  Task<AdminReply> silence(AdminRequest request);
  Task<AdminReply> end_silence(AdminRequest request);
  Task<AdminReply> test(AdminRequest request);
  AdminReply test_now(const std::string& receiver);
  Result<Silence> read_silence(const AdminRequest& request) const;
  void write_silences(text::JsonWriter& json) const;

  Parts parts_;
  AlertSettings settings_;
  AlertStage stage_;
  Collector collector_;
  Board board_;
  LoopLag lag_;
  Makers makers_;
  std::vector<std::size_t> makers_read_;  // by loop
  Silences silences_;
  Notifier notifier_;
  Outlets outlets_;
  std::vector<Retiring> retiring_;
  std::uint64_t messages_ = 0;
};

/// `causeway alerts …`; needs nothing but a way to the routes.
Verb alerts_verb();

}  // namespace causeway::alerts
