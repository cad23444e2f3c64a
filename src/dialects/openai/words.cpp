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

// "causeway:anthropic:hidden:VALUE". OpenAI's own are base64 and have no colon.
constexpr std::string_view kMark = "causeway:", kHidden = "hidden", kText = "text";

std::string encrypted_content(const Seal& seal, bool hidden) {
  if (seal.value.empty() || seal.dialect == "openai" || seal.dialect.empty()) return seal.value;
  std::string text(kMark);
  text.append(seal.dialect).append(":").append(hidden ? kHidden : kText).append(":");
  return text += seal.value;
}

Unsealed unseal(std::string_view text) {
  if (text.starts_with(kMark)) {
    const auto dialect = text.substr(kMark.size());
    const auto first = dialect.find(':');
    const auto second = first == dialect.npos ? first : dialect.find(':', first + 1);
    if (second != dialect.npos) {
      return {{std::string(dialect.substr(0, first)), std::string(dialect.substr(second + 1))},
              dialect.substr(first + 1, second - first - 1) == kHidden};
    }
  }
  return {{"openai", std::string(text)}, std::nullopt};
}

}  // namespace causeway::openai
