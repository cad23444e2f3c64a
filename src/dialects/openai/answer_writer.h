// Frames → the OpenAI form. A frame that came in this dialect and was not edited passes as it is;
// edited texts are spliced into its JSON.
#pragma once

#include <memory>

#include "core/dialect.h"

namespace causeway::openai {

std::unique_ptr<AnswerWriter> make_answer_writer(const Dialect& dialect, const Operation& operation,
                                                 WriterSettings settings);

}  // namespace causeway::openai
