// The feature "limits": how much anybody may have, who is near the end of what, and what was spent
// of budgets over restarts.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/traffic/limits/budget_file.h"
#include "features/traffic/limits/stage.h"
#include "platform/base/worker.h"
#include "platform/store/folder.h"

namespace causeway::limits {

class LimitsFeature final : public Feature {
 public:
  struct Parts {
    SectionKey<LimitList> settings;
    SlotLayout& slots;
    const Clock& clock;
    log::Log& log;
    WorkerGroup& workers;
    int loops = 1;
    std::int64_t replicas = 0;  // that count together, at least; 0 = this one is for itself
  };
  LimitsFeature(Parts parts, const LimitTable& table, std::unique_ptr<BudgetFile> budgets);
  ~LimitsFeature() override;

  void configure(const LimitTable& table) { table_.set_most(table.subjects); }
  /// Before the loop's thread begins: its way to what all replicas count together.
  void attach(int index, net::Loop& loop, redis::Client& client);
  void declare_metrics(metrics::Registry& metrics);
  /// Brings what was spent to the disk. Once a second, from the control loop; does not wait.
  void keep_budgets();
  std::vector<LimitStage::NearlySpent> nearly_spent(Wall now) const {
    return stage_.nearly_spent(now);
  }

  std::string_view name() const override { return "limits"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;

 private:
  Task<AdminReply> list(AdminRequest request) const;

  Parts parts_;
  std::shared_ptr<BudgetFile> budgets_;
  Table table_;
  LimitStage stage_;
  std::shared_ptr<std::atomic<bool>> syncing_ = std::make_shared<std::atomic<bool>>(false);
};

/// `causeway limits`.
Verb limits_verb();

}  // namespace causeway::limits
