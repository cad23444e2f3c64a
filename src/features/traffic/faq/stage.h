// The stage "faq": a question that staff has answered gets that answer, and no model is asked; or
// the answer is put in front of the model, by policy.
#pragma once

#include <array>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/traffic/faq/config.h"
#include "features/traffic/faq/meanings.h"
#include "features/traffic/faq/table.h"
#include "platform/metrics/registry.h"

namespace causeway::faq {

class FaqStage final : public Stage {
 public:
  /// Declares causeway_faq_answers_total.
  FaqStage(SectionKey<FaqSettings> key, const Tables& tables, Meanings& meanings,
           metrics::Registry& metrics);
  std::string_view name() const override { return "faq"; }
  unsigned hooks() const override { return kOnRequest; }
  unsigned hooks_under(const Sections& sections) const override {
    return sections.get(key_).by_meaning() ? kWaits : kOnRequest;
  }
  bool enabled(const Sections& sections) const override {
    return sections.get(key_).does_anything();
  }
  Verdict on_request(Exchange& exchange) override;
  Task<Verdict> wait_request(Exchange& exchange) override;

 private:
  enum How : std::uint8_t { kExact, kMeaning, kGround, kNone, kHows };
  struct Loop {
    Tables::Hold hold;
    Meanings::Hold meanings;
    std::array<metrics::Counter*, kHows> answers{};
  };
  /// What is looked for; views live as long as the exchange's request, or as this.
  struct Asked {
    Tables::Ptr table;
    std::string joined;
    std::string_view question;  // empty = nothing is looked for
    Asking asking;
    std::shared_ptr<const Vectors> vectors;  // once they were asked for
  };

  Loop& loop_of(const Exchange& exchange) {
    return loops_[static_cast<std::size_t>(exchange.context->index)];
  }
  void read(Exchange& exchange, Asked& asked);
  /// Whether an entry was found that is the question exactly; then the verdict is set.
  bool find_exact(Exchange& exchange, const Asked& asked, Verdict& verdict);
  Task<std::vector<Near>> find_near(Exchange& exchange, Asked& asked);
  static Verdict give(Exchange& exchange, const Entry& entry);
  void ground(Exchange& exchange, std::span<const Near> entries);

  SectionKey<FaqSettings> key_;
  const Tables& tables_;
  Meanings& meanings_;
  std::vector<Loop> loops_;
};

}  // namespace causeway::faq
