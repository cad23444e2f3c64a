#include "dialects/openai/detail/decoding.h"

#include <algorithm>
#include <array>

namespace causeway::openai {

bool is_hint(std::string_view field) {
  static constexpr std::array<std::string_view, 11> kHints = {
      "metadata",      "store",     "service_tier", "prompt_cache_key", "prompt_cache_retention",
      "prediction",    "verbosity", "truncation",   "include",          "stream_options",
      "max_tool_calls"};
  return std::find(kHints.begin(), kHints.end(), field) != kHints.end();
}

void set_address(std::string_view url, Media& media) {
  constexpr std::string_view kData = "data:", kBase64 = ";base64,";
  const auto comma = url.find(kBase64);
  if (url.starts_with(kData) && comma != url.npos) {
    media.type = url.substr(kData.size(), comma - kData.size());
    media.data = url.substr(comma + kBase64.size());
  } else {
    media.url = url;
  }
}

std::optional<std::uint32_t> count_of(od::value value) {
  const auto number = json::integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace causeway::openai
