// What the error answers of Hugging Face's servers say beyond OpenAI's:
// {"error":"text","error_type":"validation"}.
#pragma once

#include <string_view>

#include "platform/base/error.h"

namespace causeway::huggingface {

/// `error` is what the dialect has made of `body`.
void refine(int status, std::string_view body, Error& error);

}  // namespace causeway::huggingface
