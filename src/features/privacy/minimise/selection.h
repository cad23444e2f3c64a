// Which messages of a conversation are left out, so that the rest keeps to its limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/request.h"

namespace causeway::minimise {

struct Limits {
  std::uint64_t tokens = std::numeric_limits<std::uint64_t>::max();  // of all messages
  std::size_t messages = std::numeric_limits<std::size_t>::max();    // system prompts apart
  std::size_t keep_last = 4;
  double recency = 0.2;  // 0 to 1: the rest is relevance
};

/// What there is to choose from: by message, in the order of the index.
struct Material {
  std::uint64_t other_tokens = 0;  // that count and are in no message
  std::vector<std::uint32_t> tokens;
  std::vector<std::vector<std::string_view>> texts;
  std::vector<std::string_view> question;  // the last one
};

/// In order. Kept in any case: system prompts, the last messages, and the question that they
/// answer; these alone may be more than the limits. Of the others those with the best score, as
/// many as have room, each with all that it cannot stand without (conversation.h).
std::vector<std::size_t> left_out(const RequestIndex& index, const Material& material,
                                  const Limits& limits);

}  // namespace causeway::minimise
