// What a request asks, as complexity and language look at it.
#pragma once

#include <string>
#include <string_view>

#include "core/request.h"
#include "features/traffic/routing/complexity.h"

namespace causeway::routing {

/// The user's last message with a text, its parts one after the other; of a completion its prompt.
/// Views into the request or into `joined`. Empty where there is none.
std::string_view question_of(Request& request, std::string& joined);

/// That question, and what stands around it: messages of user and assistant, not the system prompt,
/// which is the same for every question.
ChatShape shape_of(std::string_view question, const RequestIndex& index, bool schema);

}  // namespace causeway::routing
