#include <algorithm>

#include "core/dialect.h"
#include "platform/text/ascii.h"

namespace causeway {

std::optional<std::chrono::milliseconds> retry_after(std::span<const http::Field> fields) {
  using std::chrono::milliseconds;
  constexpr double kLongest = 3'600'000;
  std::optional<double> wait;
  if (const auto value = http::find(fields, "retry-after-ms")) wait = text::parse_double(*value);
  if (!wait) {
    if (const auto value = http::find(fields, "retry-after")) {
      if (const auto seconds = text::parse_double(*value)) wait = *seconds * 1000;
    }
  }
  if (!wait || *wait < 0) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(std::min(*wait, kLongest)));
}

}  // namespace causeway
