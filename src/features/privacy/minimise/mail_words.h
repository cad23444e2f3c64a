// The words by which parts of e-mails are known: lists, and what a single line is.
#pragma once

#include <string>
#include <string_view>

namespace causeway::minimise {

/// The line in lower case for the questions below: ASCII, and the Latin letters that have two bytes
/// in UTF-8.
std::string lower_line(std::string_view line);

/// "on tue, 3 mar 2026 at 10:00, ann <a@example.com> wrote:" in any of the languages. A mail
/// program may have broken it: `begins` asks for its first words only.
bool begins_attribution(std::string_view lower);
bool is_attribution(std::string_view lower);

/// "-----Original Message-----".
bool is_original_mark(std::string_view lower);
/// "---------- Forwarded message ---------".
bool is_forward_mark(std::string_view lower);

/// A line of the block of fields above a quoted mail.
enum class MailField { None, From, Date, To, Subject, Other };
MailField field_of(std::string_view lower);

/// "Sent from my iPhone".
bool is_device_note(std::string_view lower);
/// "This e-mail and any attachments are confidential": all behind it is of that kind.
bool begins_disclaimer(std::string_view lower);
/// "Kind regards," or "Thanks, Ann"; `rest` is what stands behind the closing words.
bool is_closing(std::string_view lower, std::string_view& rest);

}  // namespace causeway::minimise
