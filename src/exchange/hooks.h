// How hooks are called and noted: for the parts of the runner that walk lists of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/dialect.h"
#include "core/exchange.h"
#include "core/snapshot.h"
#include "core/stage.h"

namespace causeway::exchange {

inline bool ended(const Verdict& verdict) { return !verdict || *verdict; }

/// Notes for the trace how long each hook took. Where one ends the next begins: reading the clock
/// is not free.
class Laps {
 public:
  explicit Laps(Exchange& exchange) : exchange_(exchange), begun_(Clock::now()) {}
  void end(const Hook& hook, const Verdict& verdict) {
    const auto now = Clock::now();
    const auto took = static_cast<std::uint32_t>((now - begun_).count());
    exchange_.marks.push_back({hook.index, ended(verdict), took});
    begun_ = now;
  }
  /// What has passed since the last hook belongs to none.
  void skip() { begun_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Exchange& exchange_;
  Clock::time_point begun_;
};

inline void note_run(Exchange& exchange, const Hook& hook) {
  exchange.stages_run |= std::uint64_t{1} << hook.index;
}

/// The hooks of a request that has been read: those that find the policy, then the policy's own.
inline const Hook* request_hook(const Exchange& exchange, std::size_t index) {
  const auto& first = exchange.snapshot->pipeline->request_before_policy;
  if (index < first.size()) return &first[index];
  index -= first.size();
  if (!exchange.policy || index >= exchange.policy->request.size()) return nullptr;
  return &exchange.policy->request[index];
}

inline Verdict pass_on(Result<void> result) {
  if (!result) return pass(std::move(result));
  return go_on();
}

inline Result<void> read_request(Exchange& exchange, std::string_view body) {
  exchange.outcome.request_bytes = body.size();
  const Operation& operation = *exchange.operation;
  auto read = operation.dialect->read(operation, exchange.argument, body, exchange.index);
  if (read) exchange.request = Request(exchange.index);
  return read;
}

}  // namespace causeway::exchange
