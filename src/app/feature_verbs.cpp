#include "app/feature_verbs.h"

#include "features/access/keys/feature.h"
#include "features/insight/ledger/feature.h"
#include "features/privacy/pii/feature.h"

namespace causeway::app {

std::vector<Verb> feature_verbs() {
  return {keys::keys_verb(), ledger::usage_verb(), pii::pii_verb()};
}

}  // namespace causeway::app
