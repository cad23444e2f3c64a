// What a request has used without an answer of it: targets that failed in the middle, or whose
// answer was thrown away. Ledger, money and token limits count them; the answer's own usage does
// not hold them.
#pragma once

#include "core/exchange.h"

namespace causeway {

/// Whether nobody got this attempt's answer, and it used something. The last one's usage is the
/// exchange's, where content of it has gone out.
inline bool is_lost(const Exchange& exchange, const Attempt& attempt, const Outcome& outcome) {
  if (!attempt.error) return false;
  const bool used = attempt.usage.source != UsageSource::None;
  if (&attempt != &exchange.attempts.back()) return used || attempt.cost_nanos.value_or(0) > 0;
  return used && outcome.usage.source == UsageSource::None;
}

/// What all attempts but the last one have cost, in nanodollars.
inline std::int64_t cost_before_last(const Exchange& exchange) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 1 < exchange.attempts.size(); ++i) {
    sum += exchange.attempts[i].cost_nanos.value_or(0);
  }
  return sum;
}

/// Tokens of prompts and answers, of all that was asked.
inline std::uint64_t tokens_used(const Exchange& exchange, const Outcome& outcome) {
  std::uint64_t sum = outcome.usage.input() + outcome.usage.output();
  for (const Attempt& attempt : exchange.attempts) {
    if (is_lost(exchange, attempt, outcome)) sum += attempt.usage.input() + attempt.usage.output();
  }
  return sum;
}

}  // namespace causeway
