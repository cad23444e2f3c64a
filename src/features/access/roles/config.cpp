#include "features/access/roles/config.h"

namespace causeway::roles {

void describe(config::Fields& f, AllowedModels& c) {
  f.field("models", c.models, "Models that may be asked for; `*` stands for any text.").or_single();
}

}  // namespace causeway::roles
