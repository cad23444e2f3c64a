// Policy section `log`: whether exchanges get a line in the access log.
#pragma once

#include "platform/config/describe.h"

namespace causeway::access_log {

struct AccessLogSettings {
  bool on = true;
};

void describe(config::Fields& f, AccessLogSettings& c);
inline constexpr config::Section<AccessLogSettings> kLog{"log"};

}  // namespace causeway::access_log
