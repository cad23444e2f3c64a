// What of a request depends on which maker's model is behind Bedrock: fields that Converse hands
// through to it.
#pragma once

#include <cstdint>
#include <string_view>

namespace causeway::converse {

enum class Reasoning : std::uint8_t {
  None,
  Budget,    // Claude up to 4.5: a number of tokens
  Adaptive,  // Claude from 4.6 on: the model decides, the effort is a word
  Effort,    // gpt-oss: a word
  Nova,      // Amazon Nova 2
};

struct ModelTraits {
  bool claude = false;
  bool one_sampling = false;  // refuses temperature together with top_p
  Reasoning reasoning = Reasoning::None;
};

/// By the model's id, inference profile or ARN.
ModelTraits traits_of(std::string_view model);

}  // namespace causeway::converse
