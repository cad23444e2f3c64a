#include "app/feature_verbs.h"

#include "app/features.h"
#include "engine/data_files.h"
#include "features/access/keys/feature.h"
#include "features/insight/alerts/feature.h"
#include "features/insight/evaluation/feature.h"
#include "features/insight/ledger/feature.h"
#include "features/insight/metrics/feature.h"
#include "features/insight/playground/feature.h"
#include "features/insight/traces/feature.h"
#include "features/privacy/pii/feature.h"
#include "features/traffic/anomalies/feature.h"
#include "features/traffic/cache/feature.h"
#include "features/traffic/faq/feature.h"
#include "features/traffic/limits/feature.h"
#include "features/traffic/overload/feature.h"
#include "features/traffic/routing/feature.h"

namespace causeway::app {

std::vector<Verb> feature_verbs() {
  std::vector<Verb> all = {keys::keys_verb(),
                           ledger::usage_verb(),
                           traces::traces_verb(),
                           alerts::alerts_verb(),
                           routing::route_verb(),
                           anomalies::blocks_verb(),
                           cache::cache_verb(),
                           limits::limits_verb(),
                           overload::overload_verb(),
                           playground::replay_verb(),
                           evaluation::test_cases_verb(),
                           faq::faq_verb(),
                           pii::pii_verb([] {
                             return engine::find_data(pii::kNamesModel,
                                                      engine::find_places(executable_path()));
                           })};
  for (auto& verb : metrics::metrics_verbs()) all.push_back(std::move(verb));
  return all;
}

}  // namespace causeway::app
