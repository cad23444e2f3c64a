// What Azure's error answers say beyond OpenAI's.
#pragma once

#include <string_view>

#include "platform/base/error.h"

namespace causeway::azure {

/// `error` is what the dialect has made of `body`. A refusal by a content filter is told as one,
/// with the names of the filters.
void refine(std::string_view body, Error& error);

}  // namespace causeway::azure
