#include "dialects/openai/responses.h"

#include "platform/text/json_writer.h"

namespace causeway::openai {

void ResponsesDialect::operations(Operations& table) const {
  const auto add = [&](std::string path, OperationKind kind) {
    table.add({http::Method::Post, std::move(path), kind, BodyKind::Json, this, {}, {}});
  };
  add("/v1/responses", OperationKind::Chat);
  add("/v1/responses/input_tokens", OperationKind::CountTokens);
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

std::string ResponsesDialect::tokens_body(std::uint64_t tokens) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("object", "response.input_tokens").field("input_tokens", tokens);
  json.end_object();
  return out;
}

}  // namespace causeway::openai
