// From the model's name to the targets that will be tried, in order: resolve finds the model and
// the policy, validate refuses what no target could do, choose orders the targets; target says
// before each try whether that one may be asked now.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/routing/config.h"
#include "features/traffic/routing/loop_states.h"
#include "platform/net/loop.h"

namespace causeway::routing {

class ResolveStage final : public Stage {
 public:
  explicit ResolveStage(SectionKey<PassThrough> pass_through) : pass_through_(pass_through) {}
  std::string_view name() const override { return "resolve"; }
  unsigned hooks() const override { return kOnRequest; }
  bool before_policy() const override { return true; }
  Verdict on_request(Exchange& exchange) override;

 private:
  Verdict resolve_provider(Exchange& exchange, const Principal& caller) const;
  SectionKey<PassThrough> pass_through_;
};

class ValidateStage final : public Stage {
 public:
  std::string_view name() const override { return "validate"; }
  unsigned hooks() const override { return kOnRequest; }
  Verdict on_request(Exchange& exchange) override;
};

/// Each loop's view of how targets fare.
using StatesOfLoops = std::vector<LoopStates>;

class ChooseStage final : public Stage {
 public:
  explicit ChooseStage(StatesOfLoops& states) : states_(states) {}
  std::string_view name() const override { return "choose"; }
  unsigned hooks() const override { return kOnRequest; }
  Verdict on_request(Exchange& exchange) override;

 private:
  StatesOfLoops& states_;
};

/// "upstream_quota": retryable. Of Origin::Us where it is the quota set here that is used up: at
/// that target it may stand in line, once no other one is left to be tried (exchange/tries.h).
std::unexpected<Error> no_quota(std::string message, Origin origin, std::chrono::milliseconds wait);

/// The target is left alone: a provider's own limit, or "target_resting".
std::unexpected<Error> resting(const Target& target, Breaker::Admission admission);

/// Who waits for quotas on one loop.
struct QuotaLine {
  net::SweepList waiting;
  std::vector<Quota*> quotas;  // that anybody here has waited for lately
  void run(Monotonic now);
};

/// Leaves targets alone that rest, and learns from each try how its target fares. Where a quota is
/// set, requests wait for their part of it.
class TargetStage final : public Stage {
 public:
  /// How long a request may wait under these settings.
  using WaitOf = std::function<std::chrono::milliseconds(const Sections&)>;
  TargetStage(StatesOfLoops& states, SectionKey<Priority> priority, WaitOf wait, SlotLayout& slots)
      : states_(states),
        lines_(states.size()),
        priority_(priority),
        wait_(std::move(wait)),
        slot_(slots.add<Asked>()) {}
  std::string_view name() const override { return "target"; }
  unsigned hooks() const override { return kOnAttempt | kOnAttemptEnd; }
  /// Without any quota there is nothing to wait for.
  unsigned hooks_under(const Sections&) const override {
    const bool waits = !states_.empty() && states_.front().all().any_quota();
    return waits ? kWaitsAttempt | kOnAttemptEnd : hooks();
  }
  Verdict on_attempt(Exchange& exchange, Attempt& attempt) override;
  Task<Verdict> wait_attempt(Exchange& exchange, Attempt& attempt) override;
  void on_answering(Exchange& exchange, Attempt& attempt,
                    const http::ResponseHead& head) noexcept override;
  void on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept override;

 private:
  /// Of the attempt that runs.
  struct Asked {
    TargetState* state = nullptr;  // null: nothing is to be told
    bool trial = false;
    bool was_trial = false;  // until it began to answer
    bool answering = false;
    Quota* quota = nullptr;  // from which so many tokens were taken
    std::uint64_t tokens = 0;
    std::chrono::nanoseconds waited{0};  // in line, by all attempts
  };
  Quota::Wanted wanted(const Exchange& exchange, const Target& target) const;
  QuotaLine& line_of(const LoopContext& context);
  /// Until its part of the quota was taken. Errors: no_quota(), Cancelled.
  Task<Result<void>> wait_in_line(Exchange& exchange, Attempt& attempt, Quota& quota,
                                  Quota::Wanted wanted);
  std::optional<std::chrono::milliseconds> take_quota(const Exchange& exchange,
                                                      const Target& target, Asked& asked) const;
  void prefer_one_that_answers(Exchange& exchange, const Attempt& waited_for) const;
  LoopStates& of_loop(const Exchange& exchange) const {
    return states_[static_cast<std::size_t>(exchange.context->index)];
  }
  StatesOfLoops& states_;
  std::vector<std::shared_ptr<QuotaLine>> lines_;  // each loop's own; made when somebody waits
  SectionKey<Priority> priority_;
  WaitOf wait_;
  Slot<Asked> slot_;
};

}  // namespace causeway::routing
