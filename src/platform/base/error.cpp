#include "platform/base/error.h"

namespace causeway {

Error::Error() = default;
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

std::unexpected<Error> fail(ErrorKind kind, Origin origin, std::string message, std::string code) {
  Error error;
  error.kind = kind;
  error.origin = origin;
  error.message = std::move(message);
  error.code = std::move(code);
  return std::unexpected(std::move(error));
}

}  // namespace causeway
