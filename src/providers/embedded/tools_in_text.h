// Tools for models whose chat template knows none: what tools there are, earlier calls and results
// are said in words, the answer is held to JSON by the engine's grammar, and read back into calls.
// Seen from outside it is a dialect like others, so applications of all dialects have tools here;
// what goes over the wire is a chat completion.
#pragma once

#include "dialects/openai/dialect.h"

namespace causeway::embedded {

class ToolsInText final : public openai::OpenAiDialect {
 public:
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override;
  std::unique_ptr<EventDecoder> answer_decoder(bool streamed,
                                               std::string_view asked) const override;
};

}  // namespace causeway::embedded
