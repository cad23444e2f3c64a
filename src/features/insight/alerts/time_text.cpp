#include "features/insight/alerts/time_text.h"

#include <ctime>

namespace causeway::alerts {
namespace {

std::string printed(Wall time, const char* form) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

}  // namespace

std::string time_text(Wall time) { return printed(time, "%Y-%m-%dT%H:%M:%SZ"); }
std::string day_text(Wall time) { return printed(time, "%Y-%m-%d"); }

}  // namespace causeway::alerts
