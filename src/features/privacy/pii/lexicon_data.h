// The text of lists/lexicon.txt.
#pragma once

#include <string_view>

namespace causeway::pii {

std::string_view lexicon_text();

}  // namespace causeway::pii
