#include "dialects/openai/responses.h"

namespace causeway::openai {

void ResponsesDialect::operations(Operations& table) const {
  table.add(
      {http::Method::Post, "/v1/responses", OperationKind::Chat, BodyKind::Json, this, {}, {}});
  for (const auto method : {http::Method::Post, http::Method::Get, http::Method::Delete}) {
    table.add({method,
               "/v1/responses/*",
               OperationKind::Refused,
               BodyKind::None,
               this,
               "Answers are not stored: send the whole conversation with each request.",
               {}});
  }
}

void ResponsesDialect::address(const Operation&, std::string_view upstream_model, bool,
                               Request& request) const {
  if (upstream_model != request.index().model) {
    request.set_member("model", encode_json_string(upstream_model));
  }
}

std::string_view ResponsesDialect::upstream_path(const Operation& operation) const {
  if (operation.kind == OperationKind::Chat) return "/responses";
  return OpenAiDialect::upstream_path(operation);
}

}  // namespace causeway::openai
