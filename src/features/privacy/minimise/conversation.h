// How a conversation falls into parts that may be left out one by one, so that what is left is a
// conversation in every dialect. A round is what a user said and all that came of it up to the next
// such message; an answer never stands without its question. Inside a round, a step is a call of
// tools with its results; these stand or fall together, and may be left out of a round that stays.
#pragma once

#include <cstddef>
#include <vector>

#include "core/request.h"

namespace causeway::minimise {

/// Messages [begin, end), without the system prompts between them.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t round = 0;
  bool step = false;  // may be left out alone; the other parts of a round go together
};

/// All messages but those that are always kept: system prompts, and items that are of no known
/// role. In order.
std::vector<Part> parts_of(const RequestIndex& index);

}  // namespace causeway::minimise
