// core's ask(): a question becomes a request in memory and takes the runner's way. One per loop.
#pragma once

#include <vector>

#include "core/ask.h"
#include "core/exchange.h"
#include "core/snapshot.h"
#include "exchange/runner.h"
#include "platform/base/pinned.h"

namespace causeway::exchange {

class RunnerAsker final : public Asker {
 public:
  RunnerAsker(LoopContext& context, Pinned<Snapshot>& snapshots, Runner& runner);
  ~RunnerAsker() override;

  Task<Result<Answer>> ask(Question question) override;

  /// The loop is about to end: cancels what is being asked, and refuses what comes.
  void close();

 private:
  class Asking;

  LoopContext& context_;
  Pinned<Snapshot>& snapshots_;
  Runner& runner_;
  std::vector<Asking*> running_;
  bool closed_ = false;
};

}  // namespace causeway::exchange
