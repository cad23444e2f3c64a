// Every dialect in the program, in the order in which the table of operations gets theirs.
#pragma once

#include <array>

#include "dialects/anthropic/vertex.h"
#include "dialects/converse/dialect.h"
#include "dialects/gemini/vertex.h"
#include "dialects/openai/responses.h"

namespace causeway::app {

struct Dialects {
  openai::OpenAiDialect openai;
  openai::ResponsesDialect responses;
  anthropic::AnthropicDialect anthropic;
  gemini::GeminiDialect gemini;
  converse::ConverseDialect converse;
  anthropic::VertexDialect vertex_anthropic{anthropic};
  gemini::VertexDialect vertex_gemini{gemini};

  /// Those that applications may speak.
  std::array<const Dialect*, 4> served() const {
    return {&openai, &responses, &anthropic, &gemini};
  }
};

}  // namespace causeway::app
