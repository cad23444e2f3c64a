// Gemini's usageMetadata: candidatesTokenCount is without the thoughts, promptTokenCount with what
// was read from a cache. Includes simdjson: only for .cpp files of this folder.
#pragma once

#include <algorithm>

#include "core/usage.h"
#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {

namespace od = simdjson::ondemand;

inline std::uint32_t count_of(od::value value) {
  const auto number = json::integer_of(value);
  return number && *number > 0 && *number <= 0xFFFFFFFF ? static_cast<std::uint32_t>(*number) : 0;
}

inline Usage read_usage(od::value value) {
  Usage usage;
  usage.source = UsageSource::Reported;
  std::uint32_t prompt = 0;
  json::each_member(value, [&](std::string_view key, od::value member) {
    if (key == "promptTokenCount") {
      prompt += count_of(member);
    } else if (key == "toolUsePromptTokenCount") {
      prompt += count_of(member);
    } else if (key == "cachedContentTokenCount") {
      usage.cache_read = count_of(member);
    } else if (key == "candidatesTokenCount") {
      usage.output_visible = count_of(member);
    } else if (key == "thoughtsTokenCount") {
      usage.reasoning = count_of(member);
    }
  });
  usage.input_uncached = prompt - std::min(prompt, usage.cache_read);
  return usage;
}

inline void write_usage(text::JsonWriter& json, const Usage& usage) {
  json.begin_object().field("promptTokenCount", usage.input());
  if (usage.cache_read) json.field("cachedContentTokenCount", usage.cache_read);
  json.field("candidatesTokenCount", usage.output_visible);
  if (usage.reasoning) json.field("thoughtsTokenCount", usage.reasoning);
  json.field("totalTokenCount", usage.input() + usage.output()).end_object();
}

}  // namespace causeway::gemini
