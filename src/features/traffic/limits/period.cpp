#include "features/traffic/limits/period.h"

#include <unicode/calendar.h>
#include <unicode/gregocal.h>
#include <unicode/timezone.h>

#include <chrono>
#include <memory>

namespace causeway::limits {
namespace {

std::unique_ptr<icu::TimeZone> zone_of(const std::string& name) {
  return std::unique_ptr<icu::TimeZone>(
      icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
}

Wall wall_of(UDate milliseconds) {
  return Wall(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

}  // namespace

bool is_time_zone(const std::string& name) {
  return !name.empty() && name.size() <= 64 && *zone_of(name) != icu::TimeZone::getUnknown();
}

Period period_of(Each each, const std::string& time_zone, Wall time) {
  UErrorCode failed = U_ZERO_ERROR;
  icu::GregorianCalendar calendar(zone_of(time_zone).release(), failed);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  calendar.setTime(static_cast<UDate>(now), failed);
  for (const auto field : {UCAL_HOUR_OF_DAY, UCAL_MINUTE, UCAL_SECOND, UCAL_MILLISECOND}) {
    calendar.set(field, 0);
  }
  if (each == Each::Month) calendar.set(UCAL_DAY_OF_MONTH, 1);
  Period period;
  period.begin = wall_of(calendar.getTime(failed));
  calendar.add(each == Each::Month ? UCAL_MONTH : UCAL_DAY_OF_MONTH, 1, failed);
  period.end = wall_of(calendar.getTime(failed));
  // Without ICU's data: days of UTC, so that a budget ends at all.
  if (U_FAILURE(failed) || !period.contains(time)) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    period = {day, day + std::chrono::days(1)};
  }
  return period;
}

}  // namespace causeway::limits
