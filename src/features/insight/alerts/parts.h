// Which part of an answer's time has grown: waiting in Causeway, connecting, the provider until its
// first token, generating, tries that failed; and whether the provider was slower or had more to
// do (longer prompts, longer answers).
#pragma once

#include <vector>

#include "features/insight/alerts/causes.h"
#include "features/insight/alerts/counts.h"

namespace causeway::alerts {

/// Parts with at least a quarter of the growth, the largest first. `before` may be empty: then the
/// parts of the time itself.
std::vector<Cause> time_parts(const Counts& now, const Counts& before, const std::string& who);

}  // namespace causeway::alerts
