// Policy section `allow`: which models may be asked for.
#pragma once

#include <string>
#include <vector>

#include "platform/config/describe.h"

namespace causeway::roles {

struct AllowedModels {
  std::vector<std::string> models{"*"};
};

void describe(config::Fields& f, AllowedModels& c);
inline constexpr config::Section<AllowedModels> kAllow{"allow"};

}  // namespace causeway::roles
