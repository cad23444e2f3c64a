// The one table that says what an ErrorKind is on the wire and in the metrics. Dialects add only
// their own spelling.
#pragma once

#include <string_view>

#include "platform/base/error.h"

namespace causeway {

struct ErrorClass {
  int status;              // HTTP status towards the caller
  std::string_view code;   // stable code when the error brings none of its own
  std::string_view label;  // value of the error.type label; low cardinality
};

const ErrorClass& error_class(ErrorKind kind);

/// The caller's status for this error: as in the table, but a provider's own refusal of the request
/// (400, 404, 413, 422) keeps the provider's status.
int http_status(const Error& error);

/// error.code, or the kind's.
std::string_view error_code(const Error& error);

}  // namespace causeway
