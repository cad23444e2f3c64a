// From the model's name to the targets that will be tried, in order: resolve finds the model and
// the policy, validate refuses what no target could do, choose orders the targets; target says
// before each try whether that one may be asked now.
#pragma once

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/traffic/routing/config.h"
#include "features/traffic/routing/loop_states.h"

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

/// Leaves targets alone that rest, and learns from each try how its target fares.
class TargetStage final : public Stage {
 public:
  TargetStage(StatesOfLoops& states, SectionKey<Priority> priority, SlotLayout& slots)
      : states_(states), priority_(priority), slot_(slots.add<Asked>()) {}
  std::string_view name() const override { return "target"; }
  unsigned hooks() const override { return kOnAttempt | kOnAttemptEnd; }
  Verdict on_attempt(Exchange& exchange, Attempt& attempt) override;
  void on_answering(Exchange& exchange, Attempt& attempt,
                    const http::ResponseHead& head) noexcept override;
  void on_attempt_end(Exchange& exchange, Attempt& attempt) noexcept override;

 private:
  /// Of the attempt that runs.
  struct Asked {
    TargetState* state = nullptr;  // null: nothing is to be told
    bool trial = false;
    bool answering = false;
    Quota* quota = nullptr;  // from which so many tokens were taken
    std::uint64_t tokens = 0;
  };
  std::optional<std::chrono::milliseconds> take_quota(const Exchange& exchange,
                                                      const Target& target, Asked& asked) const;
  void prefer_those_that_answer(Exchange& exchange, const Attempt& waited_for) const;
  LoopStates& of_loop(const Exchange& exchange) const {
    return states_[static_cast<std::size_t>(exchange.context->index)];
  }
  StatesOfLoops& states_;
  SectionKey<Priority> priority_;
  Slot<Asked> slot_;
};

}  // namespace causeway::routing
