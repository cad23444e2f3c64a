// Limits as they are checked, made of what the configuration says; and whom each one counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "features/traffic/limits/config.h"
#include "features/traffic/limits/table.h"

namespace causeway::limits {

/// "100 requests per user in 1m", "50 money per tenant each month".
std::string name_of(const LimitConfig& config);

/// The limits of one policy. Two that count the same are told apart by their places.
std::vector<Limit> limits_of(const LimitList& list);

/// Who is counted: for people ("ann, gpt-4"), in `subject`; and the key of that and the limit. A
/// user of whom nothing is known is the caller's key; of IPv6 addresses the first 64 bits count,
/// since whoever has one has all behind them.
SubjectKey subject_of(Exchange& exchange, const Limit& limit, std::string& subject);

/// 32 digits: its name where replicas count together.
std::string text_of(const SubjectKey& key);

}  // namespace causeway::limits
