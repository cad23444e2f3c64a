// Every dialect in the program, in the order in which the table of operations gets theirs: where
// two have the same path, the one that only takes requests with a field of its own comes first.
#pragma once

#include <array>

#include "dialects/gemini/dialect.h"
#include "dialects/openai/responses.h"

namespace causeway::app {

struct Dialects {
  openai::OpenAiDialect openai;
  openai::ResponsesDialect responses;
  gemini::GeminiDialect gemini;

  /// Those that applications may speak.
  std::array<const Dialect*, 3> served() const { return {&openai, &responses, &gemini}; }
};

}  // namespace causeway::app
