#include "platform/http/detail/answer_head.h"

#include <array>
#include <charconv>
#include <ctime>

#include "platform/http/detail/field.h"

namespace causeway::http::detail {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_name(name, "date");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14:
      return same_name(name, "content-length");
    case 17:
      return same_name(name, "transfer-encoding");
    default:
      return false;
  }
}

}  // namespace

void write_answer_head(std::string& out, const AnswerHead& head) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(head.status));
  out += ' ';
  out += reason_phrase(head.status);
  out += "\r\n";
  for (const Field& field : head.fields) {
    if (is_framing(field.name) || !is_field_value(field.name) || !is_field_value(field.value)) {
      continue;
    }
    append_field(out, field.name, field.value);
  }
  out += head.date_line;
  if (status_has_body(head.status)) {
    if (head.content_length) {
      out += "Content-Length: ";
      append_number(out, *head.content_length);
      out += "\r\n";
    } else if (head.chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    }
  }
  if (head.close) out += "Connection: close\r\n";
  if (head.keep_alive) out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool asks_to_close(std::span<const Field> fields) {
  const auto connection = find(fields, "connection");
  return connection && same_name(*connection, "close");
}

std::string date_line(Wall now) {
  // strftime would take the names from the locale.
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
                kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return text.data();
}

}  // namespace causeway::http::detail
