#include "core/error.h"

#include <array>

namespace causeway {
namespace {

// In the order of ErrorKind.
constexpr std::array kClasses = {
    ErrorClass{400, "invalid_request", "invalid_request"},
    ErrorClass{401, "invalid_api_key", "unauthenticated"},
    ErrorClass{403, "permission_denied", "forbidden"},
    ErrorClass{404, "not_found", "not_found"},
    ErrorClass{405, "method_not_allowed", "method_not_allowed"},
    ErrorClass{409, "conflict", "conflict"},
    ErrorClass{413, "request_too_large", "too_large"},
    ErrorClass{415, "unsupported_media_type", "unsupported_media"},
    ErrorClass{501, "not_implemented", "not_implemented"},
    ErrorClass{429, "rate_limit_exceeded", "rate_limited"},
    ErrorClass{429, "insufficient_quota", "quota_exhausted"},
    ErrorClass{400, "context_length_exceeded", "context_too_long"},
    ErrorClass{400, "content_filter", "content_filtered"},
    ErrorClass{503, "overloaded", "overloaded"},
    ErrorClass{503, "unavailable", "unavailable"},
    ErrorClass{502, "upstream_connect_failed", "connect_failed"},
    ErrorClass{504, "timeout", "timeout"},
    ErrorClass{502, "upstream_error", "upstream_failed"},
    ErrorClass{502, "upstream_broken", "upstream_broken"},
    ErrorClass{499, "client_closed_request", "cancelled"},
    ErrorClass{500, "internal_error", "internal"},
};
static_assert(kClasses.size() == static_cast<std::size_t>(ErrorKind::Internal) + 1);

}  // namespace

const ErrorClass& error_class(ErrorKind kind) { return kClasses[static_cast<std::size_t>(kind)]; }

int http_status(const Error& error) {
  if (error.kind == ErrorKind::Timeout && error.origin == Origin::Client) return 408;
  const bool refused_by_provider = error.origin == Origin::Upstream && !error.retryable;
  switch (error.upstream_status) {
    case 400:
    case 404:
    case 413:
    case 422:
      if (refused_by_provider) return error.upstream_status;
      break;
    default:
      break;
  }
  return error_class(error.kind).status;
}

std::string_view error_code(const Error& error) {
  return error.code.empty() ? error_class(error.kind).code : std::string_view(error.code);
}

}  // namespace causeway
