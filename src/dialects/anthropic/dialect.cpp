#include "dialects/anthropic/dialect.h"

#include <array>

namespace causeway::anthropic {
namespace {

constexpr std::array<std::string_view, 4> kRequestFields = {"anthropic-version", "anthropic-beta",
                                                            "idempotency-key", "tracestate"};

// Under a prefix as well, for applications that keep several providers apart by path.
constexpr std::array<std::string_view, 2> kPrefixes = {"", "/anthropic"};

constexpr std::string_view kVersionField = "anthropic-version";

}  // namespace

void AnthropicDialect::operations(Operations& table) const {
  using http::Method;
  for (const auto prefix : kPrefixes) {
    const auto add = [&](Method method, std::string path, OperationKind kind) {
      const BodyKind body = method == Method::Post ? BodyKind::Json : BodyKind::None;
      const bool shared = prefix.empty() && method == Method::Get;  // with OpenAI's dialect
      table.add({method,
                 std::string(prefix) + std::move(path),
                 kind,
                 body,
                 this,
                 {},
                 std::string(shared ? kVersionField : "")});
    };
    add(Method::Post, "/v1/messages", OperationKind::Chat);
    add(Method::Post, "/v1/messages/count_tokens", OperationKind::CountTokens);
    add(Method::Get, "/v1/models", OperationKind::ListModels);
    add(Method::Get, "/v1/models/*", OperationKind::GetModel);
    for (const auto method : {Method::Post, Method::Get, Method::Delete}) {
      for (const std::string_view path : {"/v1/messages/batches", "/v1/messages/batches/*"}) {
        table.add({method,
                   std::string(prefix) + std::string(path),
                   OperationKind::Refused,
                   BodyKind::None,
                   this,
                   "Send the requests one by one.",
                   {}});
      }
    }
  }
}

void AnthropicDialect::address(const Operation&, std::string_view upstream_model, bool,
                               Request& request) const {
  if (upstream_model != request.index().model) {
    request.set_member("model", encode_json_string(upstream_model));
  }
}

std::string_view AnthropicDialect::upstream_path(const Operation& operation) const {
  switch (operation.kind) {
    case OperationKind::Chat:
      return "/v1/messages";
    case OperationKind::CountTokens:
      return "/v1/messages/count_tokens";
    default:
      return "/v1/models";
  }
}

std::span<const std::string_view> AnthropicDialect::request_fields() const {
  return kRequestFields;
}
std::span<const std::string_view> AnthropicDialect::answer_fields() const { return {}; }

}  // namespace causeway::anthropic
