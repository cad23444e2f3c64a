// Names of an exchange: its request id (the caller's, or a new one) and its place in a distributed
// trace (W3C Trace Context).
#pragma once

#include <array>
#include <cstdint>

#include "core/exchange.h"

namespace causeway::exchange {

/// Random bits that need not be secret; one per loop.
class IdSource {
 public:
  IdSource();  // seeded from the operating system
  std::uint64_t next();

 private:
  std::uint64_t state_[4];
};

/// Sets exchange.id, trace_id and span_id from the request's head.
void name_exchange(Exchange& exchange, IdSource& ids);

/// "00-<trace>-<span>-01"
using TraceParent = std::array<char, 55>;
TraceParent traceparent(const Exchange& exchange, const std::array<char, 16>& span_id);

}  // namespace causeway::exchange
