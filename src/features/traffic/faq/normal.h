// When two wordings of a question are the same one: without regard to case, to how characters are
// encoded, to white space, to quotation marks and to the marks that end sentences. What can carry
// meaning stays: "C++" is not "C", "3.5" is not "35", "-5" is not "5", "don't" is not "do".
#pragma once

#include <string>
#include <string_view>

namespace causeway::faq {

/// Empty where nothing is left, or `text` is no UTF-8.
std::string normal_form(std::string_view text);

}  // namespace causeway::faq
