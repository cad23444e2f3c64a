// The stage "alerts": notes each exchange, when it is over, in its loop's cells. Nothing waits,
// nothing is allocated.
#pragma once

#include <memory>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/insight/alerts/cells.h"
#include "features/insight/alerts/makers.h"

namespace causeway::alerts {

class AlertStage final : public Stage {
 public:
  explicit AlertStage(int loops);
  std::string_view name() const override { return "alerts"; }
  unsigned hooks() const override { return kOnDone; }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

  std::vector<std::unique_ptr<LoopCells>>& cells() { return cells_; }
  const std::vector<std::unique_ptr<LoopMakers>>& makers() const { return makers_; }

 private:
  void note_attempts(LoopCells& cells, const Exchange& exchange, Cell& last) const noexcept;
  std::vector<std::unique_ptr<LoopCells>> cells_;
  std::vector<std::unique_ptr<LoopMakers>> makers_;
};

}  // namespace causeway::alerts
