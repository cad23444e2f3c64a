// The stage "minimise": takes out of a conversation what its answer does not need, by policy. Texts
// of users and tools first; then messages, by what is left of them; then what is repeated in the
// messages that stay. What assistants said is never rewritten, as providers sign their reasoning,
// nor are system prompts and what the last question repeats.
#pragma once

#include "core/exchange.h"
#include "core/stage.h"
#include "features/privacy/minimise/config.h"

namespace causeway::minimise {

class MinimiseStage final : public Stage {
 public:
  explicit MinimiseStage(SectionKey<MinimiseSettings> key) : key_(key) {}
  std::string_view name() const override { return "minimise"; }
  unsigned hooks() const override { return kOnRequest | kReadsTexts; }
  bool enabled(const Sections& sections) const override {
    return sections.get(key_).does_anything();
  }
  Verdict on_request(Exchange& exchange) override;

 private:
  SectionKey<MinimiseSettings> key_;
};

}  // namespace causeway::minimise
