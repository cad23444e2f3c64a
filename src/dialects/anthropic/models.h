// What Claude models of different age accept, by their names. Requests in this dialect pass as they
// are; this is for those that are translated to it, which ask for what another dialect has.
// Source: Anthropic's pages on thinking, effort and on what is new in each model.
#pragma once

#include <cstdint>
#include <string_view>

namespace causeway::anthropic {

struct ModelTraits {
  bool sampling = true;                // temperature, top_p, top_k
  bool one_sampling = false;           // temperature or top_p, not both
  bool strict = false;                 // of tools
  bool budgets = true;                 // thinking: {type: enabled, budget_tokens}
  bool adaptive = false;               // thinking: {type: adaptive} with output_config.effort
  bool xhigh = false;                  // that effort
  bool thinks = false;                 // thinks unless told otherwise
  bool may_be_off = true;              // thinking: {type: disabled}
  bool forced_tools = true;            // tool_choice any and tool
  std::uint32_t most_tokens = 64'000;  // of thoughts and answer
  std::uint32_t max_tokens = 0;        // what is asked for where the application sets no limit
};

/// A name that is not a Claude model's gets what every server of this dialect understands.
ModelTraits traits_of(std::string_view model);

}  // namespace causeway::anthropic
