#include "features/traffic/routing/feature.h"

namespace causeway::routing {

RoutingFeature::RoutingFeature(TargetStates& states, SectionKey<PassThrough> pass_through,
                               SectionKey<Priority> priority, TargetStage::WaitOf wait,
                               SlotLayout& slots, int loops)
    : loops_(static_cast<std::size_t>(loops), LoopStates(states)),
      resolve_(pass_through),
      choose_(loops_),
      target_(loops_, priority, std::move(wait), slots) {}

}  // namespace causeway::routing
