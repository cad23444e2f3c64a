// Policy section `models`: which models may be asked for.
#pragma once

#include <string>
#include <vector>

#include "platform/config/describe.h"

namespace causeway::roles {

/// Glob patterns; `models: [ "gpt-*" ]` in a policy.
using AllowedModels = std::vector<std::string>;
inline constexpr config::Section<AllowedModels> kModels{"models"};

}  // namespace causeway::roles
