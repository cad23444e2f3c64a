// Writes the heads of answers: the status line, the handler's fields, and those that belong to the
// connection (length, chunks, date, close), which a handler cannot set.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/http/message.h"

namespace causeway::http::detail {

struct AnswerHead {
  int status = 200;
  std::span<const Field> fields;
  std::optional<std::uint64_t> content_length;  // nullopt: chunked, or ended by the close
  bool chunked = false;
  bool close = false;          // "Connection: close"
  bool keep_alive = false;     // "Connection: keep-alive", which only HTTP/1.0 clients need
  std::string_view date_line;  // with CRLF
};

/// Appends. Framing fields among `fields` (Content-Length, Transfer-Encoding, Connection,
/// Keep-Alive, Date) are left out, and so is a field whose name or value could break the head.
void write_answer_head(std::string& out, const AnswerHead& head);

/// Whether an answer of that status has a body at all (RFC 9110, 6.4.1).
bool status_has_body(int status);

/// Whether the handler asks for the connection to be closed.
bool asks_to_close(std::span<const Field> fields);

/// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
std::string date_line(Wall now);

}  // namespace causeway::http::detail
