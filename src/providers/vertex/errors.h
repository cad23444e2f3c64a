// What Vertex AI's error answers are: those of Google, also where a model of Anthropic was asked
// for.
#pragma once

#include <string_view>

#include "platform/base/error.h"

namespace causeway::vertex {

/// Whether `body` is an error in Google's form: one with a status in words.
bool is_googles(std::string_view body);

/// `error` is what the dialect has made of it. Google's words for a missing model name our project.
void refine(Error& error);

}  // namespace causeway::vertex
