// Parts of e-mails that say nothing new: what is quoted of earlier ones, and the signature at the
// end. Looked for line by line, by the words that mail programs and people use in English, German,
// French, Spanish, Italian and Dutch. What is forwarded stays: it is what the mail is about.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::minimise {

struct MailParts {
  bool quotes = false;
  bool signatures = false;
};

/// The text without them; nothing where there is none, where nothing else would be left, or
/// where what is left ends with a colon.
std::optional<std::string> without_mail_parts(std::string_view text, MailParts parts);

}  // namespace causeway::minimise
