// The verbs that features bring, without building the features.
#pragma once

#include <vector>

#include "core/admin.h"

namespace causeway::app {

std::vector<Verb> feature_verbs();

}  // namespace causeway::app
