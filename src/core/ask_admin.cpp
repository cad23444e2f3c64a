#include "core/ask_admin.h"

#include <boost/json.hpp>

#include "core/verb_output.h"

namespace causeway {

namespace bj = boost::json;

std::expected<AdminAnswer, int> ask_admin(AdminClient& admin, http::Method method,
                                          const std::string& path_and_query,
                                          const std::string& body) {
  auto reply = admin.call(method, path_and_query, body);
  if (!reply) return std::unexpected(tell(reply.error()));
  bj::error_code failed;
  bj::value object = bj::parse(reply->body, failed);
  const bool is_object = !failed && object.is_object();
  if (is_object && reply->status >= 200 && reply->status < 300) {
    return AdminAnswer{std::move(reply->body), std::move(object)};
  }
  const bj::value* error = is_object ? object.as_object().if_contains("error") : nullptr;
  const bj::value* message =
      error && error->is_object() ? error->as_object().if_contains("message") : nullptr;
  if (!message || !message->is_string()) {
    return std::unexpected(tell("the reply is not what was expected"));
  }
  return std::unexpected(tell(std::string(message->as_string())));
}

}  // namespace causeway
