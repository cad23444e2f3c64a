// The life of a request (ARCHITECTURE.md has the picture): head hooks, body, request hooks,
// attempts with the answer's events, done hooks. One runner per loop. A stage is never called but
// from here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/ask.h"
#include "core/exchange.h"
#include "core/snapshot.h"
#include "core/stage.h"
#include "core/token_estimates.h"
#include "exchange/identity.h"
#include "exchange/retry_budget.h"
#include "exchange/settings.h"
#include "platform/base/pinned.h"
#include "platform/base/task.h"
#include "platform/http/server_stream.h"

namespace causeway::exchange {

struct Run;

class Runner {
 public:
  Runner(LoopContext& context, Pinned<Snapshot>& snapshots, SettingKeys keys);
  ~Runner();

  /// http::Server::Handler: one request from its head to its end.
  Task<void> serve(http::ServerStream& stream);

  /// The same for a request that Causeway makes itself (exchange/ask.h).
  struct Internal {
    const Principal* principal = nullptr;
    std::uint8_t depth = 0;
    Sent* sent = nullptr;
    bool explain = false;
    std::optional<Error> error{};  // afterwards: why there is no answer
  };
  Task<void> serve_internal(http::ServerStream& stream, Internal& internal);

  /// Called about once a second: sends heartbeats into streams that have been silent.
  void tick();

  std::size_t running() const { return runs_.size(); }

  /// Ends what runs, also what is read on although its caller has left. At the end of the program.
  void cancel_all();

 private:
  Task<void> serve_as(http::ServerStream& stream, Internal* internal);
  std::unique_ptr<Exchange> take_exchange();
  Task<void> run(Run& run);
  Task<void> end_with(Run& run, Verdict verdict);
  void done(Run& run);

  LoopContext& context_;
  Pinned<Snapshot>& snapshots_;
  SettingKeys keys_;
  IdSource ids_;
  TokenEstimates estimates_;
  RetryBudget retries_;
  std::vector<std::unique_ptr<Exchange>> spare_;  // bounded
  const Pipeline* spare_of_ = nullptr;            // whose slot layout the spare ones have
  std::vector<Run*> runs_;
};

}  // namespace causeway::exchange
