// What a request asks, where it is one that staff's answer can stand for.
#pragma once

#include <string>
#include <string_view>

#include "core/exchange.h"

namespace causeway::faq {

/// The user's last message with a text, its parts one after the other: a view into the request or
/// into `joined`. Empty where an answer in plain words is not what is asked for (tools, a schema,
/// pictures, several choices), where something but the user has the last word, where the question
/// is longer than one of an entry can be, and, unless `conversation`, where something was said
/// before.
std::string_view question_of(Exchange& exchange, bool conversation, std::string& joined);

/// Puts a system message into the request, behind those that are there.
Result<void> add_system_message(Request& request, std::string text);

}  // namespace causeway::faq
