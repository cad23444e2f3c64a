#include "app/vocabulary.h"

namespace causeway::app {

Vocabulary::Vocabulary() {
  register_kinds(registry);
  settings = exchange::register_settings(sections);
  models = sections.add(roles::kModels, "Models that may be asked for; `*` stands for any text.",
                        roles::AllowedModels{"*"});
  pass_through = sections.add(
      routing::kPassThrough,
      "Providers whose own paths may be asked for under /providers/NAME/, with the provider's "
      "credentials; `*` stands for any text.",
      routing::PassThrough{});
  priority =
      sections.add(routing::kPriority,
                   "Who goes first where a provider's quota, or a model, is not enough for all.",
                   routing::Priority::Normal);
  log = sections.add(access_log::kLog, "Whether requests get a line in the access log.");
  ledger = sections.add(ledger::kLedger, "What happens when a settlement could not be kept.");
  traces = sections.add(traces::kTraces, "What is recorded of requests (docs/traces.md).");
  faq = sections.add(
      faq::kFaq, "Whether questions that staff has answered are asked of a model (docs/faq.md).");
  minimise = sections.add(minimise::kMinimise,
                          "How much of a conversation goes on to a provider (docs/minimise.md).");
  pii::Settings no_pii;
  no_pii.action = pii::Action::Off;
  pii = sections.add(pii::kPii, "What is done about personal data and keys in requests.", no_pii);
  cache = sections.add(cache::kCache, "Answers that are kept and given again (docs/cache.md).");
  limits =
      sections.add(limits::kLimits,
                   "How much anybody may have: requests, tokens, money; `off` = as much as they "
                   "want (docs/limits.md).");
  overload = sections.add(overload::kOverload,
                          "Requests wait, fairly, while their model has too much to do.");
  schema = std::make_unique<config::Schema<AppConfig>>(registry);
}

}  // namespace causeway::app
