#include "dialects/openai/words.h"

#include <algorithm>

namespace causeway::openai {

Stop stop_of(std::string_view reason) {
  if (reason == "stop") return Stop::Done;
  if (reason == "length") return Stop::Length;
  if (reason == "tool_calls" || reason == "function_call") return Stop::Tools;
  if (reason == "content_filter") return Stop::Filtered;
  if (reason == "error") return Stop::Broken;
  return Stop::Unknown;
}

std::string_view reason_of(Stop stop, std::string_view raw) {
  switch (stop) {
    case Stop::Done:
      return "stop";
    case Stop::Length:
      return "length";
    case Stop::Tools:
      return "tool_calls";
    case Stop::Filtered:
      return "content_filter";
    case Stop::Broken:
      return "error";
    case Stop::None:
    case Stop::Pause:
    case Stop::Unknown:
      break;
  }
  return raw.empty() ? "unknown" : raw;
}

// Inside of strings they are escaped: one that stands there as it is, is white space.
std::string in_one_line(std::string_view json) {
  std::string out(json);
  std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return out;
}

}  // namespace causeway::openai
