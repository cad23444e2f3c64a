// Times as people and JSON write them.
#pragma once

#include <string>

#include "platform/base/clock.h"

namespace causeway::alerts {

/// "2027-01-31T13:15:00Z".
std::string time_text(Wall time);
/// "2027-01-31".
std::string day_text(Wall time);

}  // namespace causeway::alerts
