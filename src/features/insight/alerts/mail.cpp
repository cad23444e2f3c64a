// An alert as a mail (RFC 5322, 2045, 2047). Everything that is not ours goes through base64, so no
// name ends a line of the head or the mail itself.
#include <ctime>

#include "features/insight/alerts/message.h"
#include "platform/text/utf8.h"

namespace causeway::alerts {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view piece = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < piece.size() ? static_cast<unsigned char>(piece[k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= piece.size() ? kLetters[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

// Encoded words, none of which cuts a character; lines of at most 76.
std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view piece = text::utf8_cut(text, 36);
    out += (out.empty() ? "" : "\r\n ") + ("=?UTF-8?B?" + base64(piece) + "?=");
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string in_lines(std::string_view encoded) {
  std::string out;
  for (; !encoded.empty(); encoded.remove_prefix(std::min<std::size_t>(76, encoded.size()))) {
    out += std::string(encoded.substr(0, 76)) + "\r\n";
  }
  return out;
}

std::string date_field(Wall time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %d %s %d %02d:%02d:%02d +0000", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

}  // namespace

std::string mail_text(const Message& message, const std::string& from,
                      const std::vector<std::string>& to) {
  std::string out = "From: Causeway <" + from + ">\r\nTo: ";
  for (std::size_t i = 0; i < to.size(); ++i) out += (i ? ",\r\n " : "") + ("<" + to[i] + ">");
  out += "\r\nSubject: " + encoded_words(title(message));
  out += "\r\nDate: " + date_field(message.made);
  out += "\r\nMessage-ID: <" + message.id + "@causeway.invalid>";
  out +=
      "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0"
      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  return out + in_lines(base64(body_text(message)));
}

}  // namespace causeway::alerts
