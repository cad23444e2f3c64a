#include "dialects/gemini/usage.h"

#include <algorithm>

namespace causeway::gemini {
namespace {

// A number that is missing, null or out of range is 0: usage is never a reason to fail an answer.
std::uint32_t count(od::value value) {
  const auto number = json::integer_of(value);
  if (!number || *number < 0 || *number > 0xFFFFFFFF) return 0;
  return static_cast<std::uint32_t>(*number);
}

// [{"modality":"AUDIO","tokenCount":12}, …]
std::uint32_t audio_of(od::value details) {
  std::uint32_t audio = 0;
  json::each_element(details, [&](od::value detail) {
    bool is_audio = false;
    std::uint32_t tokens = 0;
    json::each_member(detail, [&](std::string_view key, od::value value) {
      if (key == "modality") is_audio = json::text_of(value) == "AUDIO";
      if (key == "tokenCount") tokens = count(value);
    });
    if (is_audio) audio += tokens;
  });
  return audio;
}

}  // namespace

Usage read_usage(od::value metadata) {
  Usage usage;
  usage.source = UsageSource::Reported;
  std::uint32_t prompt = 0;
  json::each_member(metadata, [&](std::string_view key, od::value value) {
    if (key == "promptTokenCount" || key == "toolUsePromptTokenCount") {
      prompt += count(value);
    } else if (key == "cachedContentTokenCount") {
      usage.cache_read = count(value);
    } else if (key == "candidatesTokenCount") {
      usage.output_visible = count(value);
    } else if (key == "thoughtsTokenCount") {
      usage.reasoning = count(value);
    } else if (key == "promptTokensDetails") {
      usage.audio_in = audio_of(value);
    } else if (key == "candidatesTokensDetails") {
      usage.audio_out = audio_of(value);
    }
  });
  usage.cache_read = std::min(usage.cache_read, prompt);
  usage.input_uncached = prompt - usage.cache_read;
  return usage;
}

}  // namespace causeway::gemini
