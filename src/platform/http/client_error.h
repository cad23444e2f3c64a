// The errors of the HTTP client, each with the code that client.h promises. Messages are fit for
// the caller; what names hosts or quotes the other side goes to `detail`.
#pragma once

#include <string>

#include "platform/base/error.h"

namespace causeway::http {

inline std::unexpected<Error> client_error(ErrorKind kind, std::string code, std::string message,
                                           std::string more = {}) {
  auto failed = fail(kind, Origin::Upstream, std::move(message), std::move(code));
  failed.error().retryable = true;
  failed.error().detail = std::move(more);
  return failed;
}

inline std::unexpected<Error> cancelled_error() {
  return fail(ErrorKind::Cancelled, Origin::Client, "the call was cancelled");
}

inline std::unexpected<Error> broken_error(std::string message, std::string more = {}) {
  return client_error(ErrorKind::UpstreamBroken, "upstream_broken", std::move(message),
                      std::move(more));
}

}  // namespace causeway::http
