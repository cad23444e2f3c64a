// The feature "overload": requests wait, or are refused, before a target has more than it can do.
#pragma once

#include "core/feature.h"
#include "features/traffic/overload/stage.h"
#include "platform/metrics/registry.h"

namespace causeway::overload {

class OverloadFeature final : public Feature {
 public:
  OverloadFeature(SectionKey<OverloadSettings> settings, OverloadStage::PriorityOf priority,
                  SlotLayout& slots, int loops)
      : stage_(groups_, settings, std::move(priority), slots, loops) {}
  void declare_metrics(metrics::Registry& metrics);
  std::string_view name() const override { return "overload"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;

 private:
  Groups groups_;
  OverloadStage stage_;
};

/// `causeway overload`.
Verb overload_verb();

}  // namespace causeway::overload
