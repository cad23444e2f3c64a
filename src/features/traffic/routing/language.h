// Which language a text is in, by CLD2: 20 microseconds for a question, of long texts only the
// beginning and the end are looked at. Called where a rule asks for it and nowhere else. From any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace causeway::routing {

/// Whether CLD2 is on this machine; it is loaded by the first call of these functions.
bool can_tell_languages();

/// ISO 639-1 ("de", "zh"); where a language has none, ISO 639-2 ("fil"). "unknown" where the text
/// is too short to tell, no language (code, numbers), or not UTF-8. Code with few signs (SQL) reads
/// as English; of several languages the one with most text counts.
std::string language_of(std::string_view text);

}  // namespace causeway::routing
