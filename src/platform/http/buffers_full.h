// The error of whoever finds the core's budget of buffered bytes used up. Not retryable: another
// target's answer would be held by the same core.
#pragma once

#include <chrono>

#include "platform/base/error.h"

namespace causeway::http {

[[gnu::cold]] inline std::unexpected<Error> buffers_full() {
  auto full = fail(ErrorKind::Overloaded, Origin::Us,
                   "too many bytes of requests and answers are held at the moment; try again",
                   "buffers_full");
  full.error().retry_after = std::chrono::seconds(1);
  return full;
}

}  // namespace causeway::http
