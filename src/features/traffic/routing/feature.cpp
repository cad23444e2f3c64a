#include "features/traffic/routing/feature.h"

namespace causeway::routing {

RoutingFeature::RoutingFeature(TargetStates& states, SectionKey<PassThrough> pass_through,
                               SectionKey<Priority> priority, SlotLayout& slots, int loops)
    : loops_(static_cast<std::size_t>(loops), LoopStates(states)),
      resolve_(pass_through),
      choose_(loops_),
      target_(loops_, priority, slots) {}

}  // namespace causeway::routing
