// Per exchange: durations, tokens, errors, own overhead. Each loop has its own cells.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/exchange.h"
#include "core/snapshot.h"
#include "core/stage.h"
#include "platform/metrics/handles.h"
#include "platform/metrics/registry.h"

namespace causeway::metrics {

struct Families {
  explicit Families(Registry& registry);
  Family<Histogram> tokens, operation, request, first_token, per_token, overhead;
  Family<Counter> cut, attempts, judged, cost, saved, stored, stored_tokens, stored_cost;
};

class MetricsStage final : public Stage {
 public:
  explicit MetricsStage(Registry& registry);
  ~MetricsStage() override;
  std::string_view name() const override { return "metrics"; }
  unsigned hooks() const override { return kOnDone; }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

 private:
  struct PerLoop;
  /// Whether the name of an exposed model may be a label: the first few are.
  bool admit_exposed(std::string_view model);
  Registry& registry_;
  Families families_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> exposed_;
  std::vector<std::unique_ptr<PerLoop>> loops_;
};

}  // namespace causeway::metrics
