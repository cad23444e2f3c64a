// What went wrong, in one form for the whole program. Platform code and models' code share it; the
// table in core/error.h maps a kind to an HTTP status and a metric label, and each dialect writes
// its own body. `message` may be shown to the caller: it never holds a secret or anybody's text.
// `detail` is for the log only.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace causeway {

enum class ErrorKind : std::uint8_t {
  InvalidRequest,    // the caller sent something that cannot be served as it is
  Unauthenticated,   // no key, or not one that is known
  Forbidden,         // known, but not allowed to
  NotFound,          // no such path, model or object
  MethodNotAllowed,  // the path exists, not with this method
  Conflict,          // the object is in another state than the request assumes
  TooLarge,          // head, body or answer over a limit
  UnsupportedMedia,  // a content type or encoding that is not read here
  NotImplemented,    // a known part of the protocol that is not served
  RateLimited,       // too many requests for now
  QuotaExhausted,    // money or a long-term quota is used up; waiting a moment does not help
  ContextTooLong,    // the prompt does not fit the model's window
  ContentFiltered,   // refused by a content filter
  Overloaded,        // no room for the moment
  Unavailable,       // a part that is needed does not work now
  ConnectFailed,     // no connection, or it ended before the first byte of an answer
  Timeout,           // a deadline passed
  UpstreamFailed,    // the other side answered with an error of its own
  UpstreamBroken,    // the other side's answer was cut or is not what its protocol says
  Cancelled,         // the caller went away
  Internal,          // a fault of ours
};

enum class Origin : std::uint8_t { Client, Us, Upstream };

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  Origin origin = Origin::Us;
  bool retryable = false;  // another try (elsewhere, or later) may succeed
  std::string code;        // stable, for programs: "model_not_found"; empty = the kind's own
  std::string message;     // for the caller: what, which rule or limit, and what to do
  std::string param;       // the request's field at fault, where there is one
  std::string detail;      // for the log only
  std::optional<std::chrono::milliseconds> retry_after{};  // when waiting is known to help
  int upstream_status = 0;                                 // the other side's status, 0 = none

  // Not inline, and said to be cold: each function that gives a Result makes and destroys one, and
  // what is there only for errors would fill the instruction cache between what always runs.
  [[gnu::cold]] Error();
  [[gnu::cold]] Error(const Error&);
  [[gnu::cold]] Error(Error&&) noexcept;
  [[gnu::cold]] Error& operator=(const Error&);
  [[gnu::cold]] Error& operator=(Error&&) noexcept;
  [[gnu::cold]] ~Error();
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::NotFound, Origin::Client, "no such key");` in a function that returns a
/// Result.
[[gnu::cold]] std::unexpected<Error> fail(ErrorKind kind, Origin origin, std::string message,
                                          std::string code = {});

/// Passes an error on: `if (!r) return pass(std::move(r));`
template <class T>
[[gnu::cold]] std::unexpected<Error> pass(Result<T>&& failed) {
  return std::unexpected(std::move(failed).error());
}

}  // namespace causeway
