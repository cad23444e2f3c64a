// The order in which a model's targets are tried. No state, no clock of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "core/target.h"

namespace causeway::routing {

/// Fallback: as listed. Weighted: the first by its share of the weights, drawn by `draw` (any 64
/// bits that differ from request to request), the others behind it by weight, so that they serve as
/// fallbacks. Weight 0 is never drawn first.
void order_targets(const Model& model, std::uint64_t draw, std::vector<const Target*>& order);

}  // namespace causeway::routing
