// Looks through a request's texts once, rewrites them for each target that shall not see what they
// give away, and puts the real words back into the answer.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/privacy/pii/config.h"
#include "features/privacy/pii/conversations.h"
#include "features/privacy/pii/names_model.h"
#include "features/privacy/pii/restorer.h"
#include "platform/base/secret.h"
#include "platform/metrics/registry.h"

namespace causeway::pii {

struct ModelTexts;

class PiiStage final : public Stage {
 public:
  /// `secret` is the root of hashes and pseudonyms; `model` is for policies that ask for it. All
  /// references outlive the stage.
  PiiStage(SectionKey<Settings> key, SlotLayout& slots, metrics::Registry& metrics,
           const Clock& clock, NamesModel& model, Secret secret);
  ~PiiStage() override;

  std::string_view name() const override { return "pii"; }
  unsigned hooks() const override { return kOnRequest | kReadsTexts | kOnAttempt | kOnEvent; }
  /// Where the model is asked, the texts are looked through on its threads, and awaited.
  unsigned hooks_under(const Sections& sections) const override;
  bool enabled(const Sections& sections) const override;
  Verdict on_request(Exchange& exchange) override;
  Task<Verdict> wait_request(Exchange& exchange) override;
  Verdict on_attempt(Exchange& exchange, Attempt& attempt) override;
  Verdict on_event(Exchange& exchange, Event& event) override;
  Hold hold(const Sections&) const override { return Hold::asked(); }
  bool watches(const Exchange& exchange) const override;

 private:
  struct State;
  struct Counters;
  const Settings& settings(const Exchange& exchange) const;
  bool treats(const Exchange& exchange, const Target& target) const;
  Result<State*> begin(Exchange& exchange);
  void look_through(Exchange& exchange, State& state, ModelTexts* model) const;
  void count(const Exchange& exchange, const State& state) const;
  Verdict treat_unread(const Exchange& exchange, Attempt& attempt) const;
  Verdict treat_texts(const Exchange& exchange, const State& state, Attempt& attempt) const;
  Verdict treat_added(const Exchange& exchange, const State& state, std::span<Text> added) const;

  SectionKey<Settings> key_;
  Slot<std::unique_ptr<State>> slot_;
  Conversations conversations_;
  NamesModel& model_;
  Secret secret_;
  std::unique_ptr<Counters> counters_;
};

}  // namespace causeway::pii
