// The feature "routing": which targets a request goes to, in which order, and which are left alone.
#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/traffic/routing/config.h"
#include "features/traffic/routing/stage.h"
#include "features/traffic/routing/target_states.h"
#include "platform/metrics/registry.h"

namespace causeway::routing {

class RoutingFeature final : public Feature {
 public:
  /// `states` outlives this.
  RoutingFeature(TargetStates& states, SectionKey<PassThrough> pass_through,
                 SectionKey<Priority> priority, TargetStage::WaitOf wait, SlotLayout& slots,
                 int loops);
  void declare_metrics(metrics::Registry& metrics);
  std::string_view name() const override { return "routing"; }
  std::vector<Stage*> stages() override { return {&resolve_, &validate_, &choose_, &target_}; }

 private:
  TargetStates& states_;
  StatesOfLoops loops_;
  ResolveStage resolve_;
  ValidateStage validate_;
  ChooseStage choose_;
  TargetStage target_;
};

/// What "quota" of a target in a reply of the admin port says, for people; empty = nothing.
std::string quota_remark(const boost::json::object& target);

/// `causeway route explain`.
Verb route_verb();

}  // namespace causeway::routing
