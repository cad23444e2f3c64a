// THE ordered list of stages (pipeline.cpp). A test holds it against the picture in
// ARCHITECTURE.md.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "core/snapshot.h"

namespace causeway::app {

struct Place {
  std::string_view stage;
  std::string_view why_here;
};

/// In order; "call" is the runner's attempt loop, everything else a stage.
std::span<const Place> pipeline_order();

/// The stages of these features in their places. A stage without a place, or a place without its
/// stage, throws std::logic_error: a fault of the program, seen at its first start.
std::unique_ptr<Pipeline> make_pipeline(std::span<const std::unique_ptr<Feature>> features,
                                        SlotLayout slots);

}  // namespace causeway::app
