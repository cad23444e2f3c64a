#include "features/insight/ledger/config.h"

namespace causeway::ledger {

void describe(config::Fields& f, LedgerSettings& c) {
  f.field("when_full", c.when_full,
          "When the journal is full because the disk takes nothing: refuse requests, or serve on "
          "without accounting for them.");
}

}  // namespace causeway::ledger
