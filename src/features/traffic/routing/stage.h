// From the model's name to the targets that will be tried, in order: resolve finds the model and
// the policy, validate refuses what no target could do, choose orders the targets.
#pragma once

#include "core/exchange.h"
#include "core/stage.h"
#include "features/traffic/routing/config.h"

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

class ChooseStage final : public Stage {
 public:
  std::string_view name() const override { return "choose"; }
  unsigned hooks() const override { return kOnRequest; }
  Verdict on_request(Exchange& exchange) override;
};

}  // namespace causeway::routing
