// Numbers with check digits that belong to nobody we know of.
#pragma once

#include <string>
#include <string_view>

#include "features/privacy/pii/draw.h"

namespace causeway::pii {

/// Another number that the rule's shape and check take, written as `value` is; empty where the rule
/// has no check, the value does not pass it, or hardly another number would. Dates and prefixes
/// inside of it stay possible ones. At most some hundred microseconds.
std::string right_number(std::string_view value, std::string_view rule, Draw& draw);

}  // namespace causeway::pii
