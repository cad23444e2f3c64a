#include "core/admin.h"

#include "core/error.h"
#include "platform/text/json_writer.h"

namespace causeway {

AdminReply admin_error(const Error& error) {
  AdminReply reply;
  reply.status = http_status(error);
  text::JsonWriter json(reply.body);
  json.begin_object().key("error").begin_object();
  json.field("code", error_code(error));
  json.field("message", error.message.empty() ? "The request failed." : error.message);
  if (!error.param.empty()) json.field("param", error.param);
  json.end_object().end_object();
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    reply.fields.emplace_back("retry-after", std::to_string(seconds.count()));
  }
  return reply;
}

}  // namespace causeway
