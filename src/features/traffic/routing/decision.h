// Which targets a request goes to, in which order, and why.
#pragma once

#include <string>
#include <vector>

#include "core/exchange.h"
#include "features/traffic/routing/order.h"

namespace causeway::routing {

/// What of an exchange bears on the order of these targets. Only what is asked for is looked up:
/// hashing a prompt is not free.
Asking asking_of(const Exchange& exchange, const std::vector<Target>& targets, Strategy strategy);

/// Finds the rule and puts the targets that do this operation into exchange.targets, in order.
void choose_targets(Exchange& exchange, LoopStates& states);

/// What has been chosen, as JSON for people: the rule, the strategy, and each target with what
/// bears on it.
std::string explained(const Exchange& exchange, LoopStates& states);

}  // namespace causeway::routing
