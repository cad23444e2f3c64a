#include "dialects/gemini/words.h"

#include <algorithm>
#include <array>

namespace causeway::gemini {

Stop stop_of(std::string_view reason) {
  static constexpr std::array<std::string_view, 9> kFiltered = {
      "SAFETY",       "BLOCKLIST",        "PROHIBITED_CONTENT",       "SPII",    "RECITATION",
      "IMAGE_SAFETY", "IMAGE_RECITATION", "IMAGE_PROHIBITED_CONTENT", "LANGUAGE"};
  static constexpr std::array<std::string_view, 5> kBroken = {
      "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
      "MALFORMED_RESPONSE", "OTHER"};
  if (reason == "STOP") return Stop::Done;
  if (reason == "MAX_TOKENS") return Stop::Length;
  if (std::find(kFiltered.begin(), kFiltered.end(), reason) != kFiltered.end()) {
    return Stop::Filtered;
  }
  if (std::find(kBroken.begin(), kBroken.end(), reason) != kBroken.end()) return Stop::Broken;
  return Stop::Unknown;
}

std::string_view reason_of(Stop stop, std::string_view raw) {
  switch (stop) {
    case Stop::Done:
    case Stop::Tools:
      return "STOP";
    case Stop::Length:
      return "MAX_TOKENS";
    case Stop::Filtered:
      return "SAFETY";
    case Stop::Broken:
      return "OTHER";
    case Stop::None:
    case Stop::Pause:
    case Stop::Unknown:
      break;
  }
  return raw.empty() ? "OTHER" : raw;
}

}  // namespace causeway::gemini
