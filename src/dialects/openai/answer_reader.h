// Answers in the OpenAI form → frames and events.
#pragma once

#include <memory>

#include "core/dialect.h"

namespace causeway::openai {

std::unique_ptr<AnswerReader> make_answer_reader(const Operation& operation);

}  // namespace causeway::openai
