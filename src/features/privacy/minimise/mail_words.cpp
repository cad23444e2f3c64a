#include "features/privacy/minimise/mail_words.h"

#include <algorithm>
#include <array>

#include "platform/text/ascii.h"

namespace causeway::minimise {
namespace {

using std::string_view;

struct Attribution {
  string_view begin, end;
};
constexpr std::array kAttributions = {
    Attribution{"on ", "wrote:"},       Attribution{"am ", "schrieb:"},
    Attribution{"am ", "geschrieben:"}, Attribution{"le ", "a écrit :"},
    Attribution{"le ", "a écrit:"},     Attribution{"le ", "a écrit\u00a0:"},
    Attribution{"el ", "escribió:"},    Attribution{"il ", "ha scritto:"},
    Attribution{"op ", "geschreven:"},  Attribution{"op ", "schreef:"},
};
// The verb may stand before the name: "Am 3.3.2026 um 10:00 schrieb Ann <a@example.com>:".
constexpr std::array kVerbsWithin = {
    Attribution{"am ", " schrieb "},
    Attribution{"op ", " schreef "},
    Attribution{"el ", " escribió "},
};

constexpr auto kOriginal = std::to_array<std::string_view>(
    {"original message", "original appointment", "ursprüngliche nachricht", "originalnachricht",
     "message d'origine", "mensaje original", "messaggio originale", "oorspronkelijk bericht"});
constexpr auto kForwarded = std::to_array<std::string_view>(
    {"forwarded message", "weitergeleitete nachricht", "message transféré", "message transmis",
     "mensaje reenviado", "messaggio inoltrato", "doorgestuurd bericht",
     "begin forwarded message"});

struct FieldName {
  string_view name;
  MailField field;
};
constexpr std::array kFields = {
    FieldName{"from", MailField::From},
    FieldName{"von", MailField::From},
    FieldName{"de", MailField::From},
    FieldName{"da", MailField::From},
    FieldName{"van", MailField::From},
    FieldName{"sent", MailField::Date},
    FieldName{"date", MailField::Date},
    FieldName{"gesendet", MailField::Date},
    FieldName{"datum", MailField::Date},
    FieldName{"envoyé", MailField::Date},
    FieldName{"enviado", MailField::Date},
    FieldName{"enviado el", MailField::Date},
    FieldName{"fecha", MailField::Date},
    FieldName{"inviato", MailField::Date},
    FieldName{"data", MailField::Date},
    FieldName{"verzonden", MailField::Date},
    FieldName{"to", MailField::To},
    FieldName{"an", MailField::To},
    FieldName{"à", MailField::To},
    FieldName{"para", MailField::To},
    FieldName{"a", MailField::To},
    FieldName{"aan", MailField::To},
    FieldName{"subject", MailField::Subject},
    FieldName{"betreff", MailField::Subject},
    FieldName{"objet", MailField::Subject},
    FieldName{"asunto", MailField::Subject},
    FieldName{"oggetto", MailField::Subject},
    FieldName{"onderwerp", MailField::Subject},
    FieldName{"cc", MailField::Other},
    FieldName{"bcc", MailField::Other},
    FieldName{"reply-to", MailField::Other},
    FieldName{"importance", MailField::Other},
    FieldName{"priorität", MailField::Other},
};

constexpr auto kDevices = std::to_array<std::string_view>(
    {"sent from my ", "sent from mail for windows", "sent from outlook for ",
     "sent from yahoo mail", "get outlook for ", "von meinem ", "gesendet mit der ",
     "gesendet von mail für ", "gesendet von outlook für ", "holen sie sich outlook für ",
     "diese nachricht wurde von meinem ", "envoyé de mon ", "envoyé depuis mon ",
     "enviado desde mi ", "inviato da ", "inviato dal mio ", "verzonden vanaf mijn "});

constexpr auto kDisclaimers = std::to_array<std::string_view>(
    {"this e-mail and any", "this email and any", "this e-mail message and any",
     "this message and any attachments", "this message is intended only", "this e-mail is intended",
     "this email is intended", "the information contained in this e", "confidentiality notice",
     "diese e-mail enthält vertrauliche", "diese nachricht ist vertraulich",
     "ce message et toutes les pièces jointes", "este mensaje y sus archivos adjuntos",
     "este correo electrónico y", "questo messaggio e gli eventuali allegati",
     "dit bericht is uitsluitend bestemd"});

// Longer ones first: the rest of the line is looked at behind them.
constexpr auto kClosings = std::to_array<std::string_view>({"thanks and best regards",
                                                            "thanks and kind regards",
                                                            "many thanks and best regards",
                                                            "thank you and best regards",
                                                            "with best regards",
                                                            "with kind regards",
                                                            "with warm regards",
                                                            "best regards",
                                                            "kind regards",
                                                            "kindest regards",
                                                            "warm regards",
                                                            "warmest regards",
                                                            "regards",
                                                            "best wishes",
                                                            "with best wishes",
                                                            "all the best",
                                                            "yours sincerely",
                                                            "yours faithfully",
                                                            "yours truly",
                                                            "sincerely yours",
                                                            "sincerely",
                                                            "respectfully",
                                                            "many thanks",
                                                            "thanks in advance",
                                                            "thanks a lot",
                                                            "thanks so much",
                                                            "thanks again",
                                                            "thanks",
                                                            "thank you in advance",
                                                            "thank you very much",
                                                            "thank you",
                                                            "cheers",
                                                            "best",
                                                            "mit freundlichen grüßen",
                                                            "mit freundlichen grüssen",
                                                            "mit freundlichem gruß",
                                                            "mit freundlichem gruss",
                                                            "mit besten grüßen",
                                                            "mit besten grüssen",
                                                            "freundliche grüße",
                                                            "freundliche grüsse",
                                                            "viele grüße",
                                                            "viele grüsse",
                                                            "beste grüße",
                                                            "beste grüsse",
                                                            "liebe grüße",
                                                            "liebe grüsse",
                                                            "herzliche grüße",
                                                            "herzliche grüsse",
                                                            "schöne grüße",
                                                            "hochachtungsvoll",
                                                            "vielen dank",
                                                            "danke",
                                                            "mfg",
                                                            "lg",
                                                            "vg",
                                                            "bien cordialement",
                                                            "très cordialement",
                                                            "cordialement",
                                                            "bien à vous",
                                                            "sincères salutations",
                                                            "meilleures salutations",
                                                            "salutations distinguées",
                                                            "amicalement",
                                                            "merci d'avance",
                                                            "un cordial saludo",
                                                            "un saludo",
                                                            "saludos cordiales",
                                                            "saludos",
                                                            "atentamente",
                                                            "cordiali saluti",
                                                            "distinti saluti",
                                                            "un cordiale saluto",
                                                            "met vriendelijke groeten",
                                                            "met vriendelijke groet",
                                                            "vriendelijke groet",
                                                            "hartelijke groeten",
                                                            "groeten"});

template <class List>
bool begins_with_any(string_view line, const List& list) {
  return std::ranges::any_of(list, [&](string_view one) { return line.starts_with(one); });
}

// The words between dashes: "-----original message-----".
string_view between_dashes(string_view lower) {
  const auto begin = lower.find_first_not_of("-_ ");
  if (begin == string_view::npos || begin < 2) return {};
  const auto end = lower.find_last_not_of("-_ :");
  return lower.substr(begin, end + 1 - begin);
}

// A year, a time, or an address: what people write themselves seldom has one there.
bool has_date_or_address(string_view text) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '@') return true;
    if (text[i] == ':' && digits > 0 && i + 1 < text.size() && text::is_digit(text[i + 1])) {
      return true;
    }
    digits = text::is_digit(text[i]) ? digits + 1 : 0;
    if (digits == 4) return true;
  }
  return false;
}

}  // namespace

std::string lower_line(string_view line) {
  std::string lower = text::to_lower(text::trim(line));
  for (std::size_t i = 0; i + 1 < lower.size(); ++i) {
    // U+00C0 to U+00DE, but for the sign of multiplication.
    const auto second = static_cast<unsigned char>(lower[i + 1]);
    if (lower[i] == '\xc3' && second >= 0x80 && second <= 0x9e && second != 0x97) {
      lower[i + 1] = static_cast<char>(second + 0x20);
    }
  }
  return lower;
}

bool begins_attribution(string_view lower) {
  return std::ranges::any_of(kAttributions,
                             [&](const auto& one) { return lower.starts_with(one.begin); });
}

bool is_attribution(string_view lower) {
  if (!lower.ends_with(':') || !has_date_or_address(lower)) return false;
  const auto whole = [&](const Attribution& one) {
    return lower.starts_with(one.begin) && lower.ends_with(one.end);
  };
  const auto within = [&](const Attribution& one) {
    return lower.starts_with(one.begin) && lower.find(one.end) != string_view::npos;
  };
  return std::ranges::any_of(kAttributions, whole) || std::ranges::any_of(kVerbsWithin, within);
}

bool is_original_mark(string_view lower) {
  return std::ranges::find(kOriginal, between_dashes(lower)) != kOriginal.end();
}

bool is_forward_mark(string_view lower) {
  if (lower.starts_with("begin forwarded message")) return true;
  return std::ranges::find(kForwarded, between_dashes(lower)) != kForwarded.end();
}

MailField field_of(string_view lower) {
  while (!lower.empty() && (lower.front() == '*' || lower.front() == '_')) lower.remove_prefix(1);
  const auto colon = lower.find(':');
  if (colon == string_view::npos || colon + 1 >= lower.size()) return MailField::None;
  const string_view name = text::trim(lower.substr(0, colon));
  const auto known = std::ranges::find(kFields, name, &FieldName::name);
  return known == kFields.end() ? MailField::None : known->field;
}

bool is_device_note(string_view lower) {
  if (lower.size() > 100) return false;
  if (lower.starts_with("von meinem ")) return lower.find("gesendet") != string_view::npos;
  return begins_with_any(lower, kDevices);
}

bool begins_disclaimer(string_view lower) {
  while (!lower.empty() && (lower.front() == '*' || lower.front() == '_')) lower.remove_prefix(1);
  return begins_with_any(lower, kDisclaimers);
}

bool is_closing(string_view lower, string_view& rest) {
  std::size_t length = 0;
  for (const string_view words : kClosings) {
    if (lower.starts_with(words) && words.size() > length) length = words.size();
  }
  if (length == 0) return false;
  rest = lower.substr(length);
  // A longer word, or a sentence that begins with these words.
  if (!rest.empty() && std::string_view(",.!;-\u2013 ").find(rest.front()) == string_view::npos) {
    return false;
  }
  const bool apart = !rest.empty() && rest.front() != ' ';
  const auto words = rest.find_first_not_of(",.!;- ");
  rest = words == string_view::npos ? string_view() : rest.substr(words);
  return rest.empty() || (apart && rest.size() <= 40);
}

}  // namespace causeway::minimise
