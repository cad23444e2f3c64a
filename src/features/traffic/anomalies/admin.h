// What operators send about blocks, and what they get.
#pragma once

#include <string>
#include <string_view>

#include "features/traffic/anomalies/blocks.h"

namespace causeway::anomalies {

/// {"who", "tenant", "for", "reason"}; a block of an hour where it does not say how long. Error:
/// InvalidRequest "invalid_block", with the field.
Result<Block> read_block(std::string_view body, std::string_view actor, Wall now);
/// {"NAME":[{who, kind, tenant, since, until, seconds_left, step, reason, by}]}
std::string write_blocks(std::string_view name, const std::vector<Block>& blocks, Wall now);

}  // namespace causeway::anomalies
