// Policy section `minimise`: how much of a conversation a request may carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/config/describe.h"

namespace causeway::minimise {

enum class Strip : std::uint8_t { Signatures, QuotedReplies, TrackingLinks, Base64, RepeatedText };

inline config::Names<Strip> names_of(Strip) {
  return {{"signatures", Strip::Signatures},
          {"quoted_replies", Strip::QuotedReplies},
          {"tracking_links", Strip::TrackingLinks},
          {"base64", Strip::Base64},
          {"repeated_text", Strip::RepeatedText}};
}

struct MinimiseSettings {
  bool off = false;
  std::optional<std::uint32_t> max_tokens;    // of all messages
  std::optional<std::uint32_t> max_messages;  // system prompts apart
  std::uint32_t keep_last = 4;                // messages
  double recency = 0.2;
  std::vector<Strip> strip;
  std::vector<std::string> json_fields;

  bool selects() const { return max_tokens || max_messages; }
  bool strips(Strip what) const;
  bool does_anything() const {
    return !off && (selects() || !strip.empty() || !json_fields.empty());
  }
};

void describe(config::Fields& f, MinimiseSettings& c);

inline constexpr config::Section<MinimiseSettings> kMinimise{"minimise"};

}  // namespace causeway::minimise
