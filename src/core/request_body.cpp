#include "core/request_body.h"

#include "platform/text/utf8.h"

namespace causeway {
namespace {

// Where the first pass, which tells no place, found its fault.
const char* place_of(std::string_view body, simdjson::error_code error) {
  if (error == simdjson::UTF8_ERROR) return body.data() + text::utf8_valid_prefix(body);
  if (error != simdjson::UNESCAPED_CHARS) return nullptr;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (in_string && static_cast<unsigned char>(body[i]) < 0x20) return body.data() + i;
    if (in_string && body[i] == '\\') {
      ++i;
    } else if (body[i] == '"') {
      in_string = !in_string;
    }
  }
  return nullptr;
}

}  // namespace

std::unexpected<Error> refused(const Untranslatable& part) {
  auto error =
      fail(ErrorKind::InvalidRequest, Origin::Client,
           "\"" + part.field + "\" cannot be translated for this target: " + part.why + ".",
           "unsupported_field");
  error.error().param = part.field;
  return error;
}

Error not_json(std::string_view body, const std::string& reason, const char* at) {
  Error error;
  error.kind = ErrorKind::InvalidRequest;
  error.origin = Origin::Client;
  error.code = "invalid_json";
  error.message = "The body is not valid JSON: " + reason;
  if (at >= body.data() && at <= body.data() + body.size()) {
    error.message += " (near byte " + std::to_string(at - body.data()) + ")";
  }
  return error;
}

Error not_json(std::string_view body, simdjson::error_code error) {
  return not_json(body, simdjson::error_message(error), place_of(body, error));
}

}  // namespace causeway
