// Days and months of a calendar, in a time zone.
#pragma once

#include <cstdint>
#include <string>

#include "features/traffic/limits/config.h"
#include "platform/base/clock.h"

namespace causeway::limits {

/// Whether the IANA data base of ICU has it.
bool is_time_zone(const std::string& name);

/// One day or month: from `begin` until `end`, not included.
struct Period {
  Wall begin{}, end{};
  bool contains(Wall time) const { return time >= begin && time < end; }
};

/// Which one holds `time`. Days on which the clock is moved are shorter or longer. Costs some
/// microseconds: keep it while it contains() the time.
Period period_of(Each each, const std::string& time_zone, Wall time);

}  // namespace causeway::limits
