#include "dialects/converse/dialect.h"

#include "core/error.h"
#include "platform/text/json_writer.h"

namespace causeway::converse {

Result<void> ConverseDialect::read(const Operation&, std::string_view, std::string_view,
                                   RequestIndex&) const {
  return fail(ErrorKind::NotImplemented, Origin::Us, "Nobody is served in this dialect.");
}

std::string ConverseDialect::error_body(const Error& error, std::string_view) const {
  std::string out;
  text::JsonWriter(out).begin_object().field("message", error.message).end_object();
  return out;
}

}  // namespace causeway::converse
