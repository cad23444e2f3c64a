// The order in which targets are tried. No state of its own, no clock.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/target.h"
#include "features/traffic/routing/loop_states.h"
#include "platform/base/clock.h"

namespace causeway::routing {

/// What bears on it beside the targets.
struct Asking {
  Monotonic now{};
  std::uint64_t draw = 0;    // any 64 bits that differ from request to request
  std::uint64_t who = 0;     // of the user, for Sticky
  std::uint64_t begins = 0;  // of the prompt's beginning, for Prefix
  std::uint64_t input_tokens = 0, output_tokens = 0;  // estimated, for Cheapest and the windows
  Needs needs = 0;
};

/// The places by `strategy` (core/target.h), the members of each by its Target::balance. Behind all
/// others, in the same order: those that cannot do what is needed or whose window is too small for
/// the prompt, and behind these, those that rest. Weight 0 is never first where another has weight.
void order_targets(std::span<const Target> targets, Strategy strategy, const Asking& asking,
                   LoopStates& states, std::vector<const Target*>& order);

/// How busy a target is: calls under way and this one, times the usual time of an answer, in
/// seconds; per weight. Nothing known of its speed counts as one millisecond, so that it is tried.
/// What was known is worth half after each 10 s without an answer beyond the first.
double busy(const TargetState* state, double weight, Monotonic now);

}  // namespace causeway::routing
