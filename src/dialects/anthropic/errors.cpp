// Error bodies in the Anthropic form, what a provider's error answer means, and what Causeway
// answers by itself: listings of models, counts of tokens.
#include <simdjson.h>

#include <array>
#include <ctime>

#include "core/error.h"
#include "core/retry_after.h"
#include "dialects/anthropic/dialect.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway::anthropic {
namespace {

std::string_view type_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::Unauthenticated:
      return "authentication_error";
    case ErrorKind::Forbidden:
      return "permission_error";
    case ErrorKind::NotFound:
      return "not_found_error";
    case ErrorKind::TooLarge:
      return "request_too_large";
    case ErrorKind::RateLimited:
      return "rate_limit_error";
    case ErrorKind::QuotaExhausted:
      return "billing_error";
    case ErrorKind::Overloaded:
    case ErrorKind::Unavailable:
      return "overloaded_error";
    case ErrorKind::Timeout:
      return error.origin == Origin::Client ? "invalid_request_error" : "timeout_error";
    case ErrorKind::ConnectFailed:
    case ErrorKind::UpstreamFailed:
    case ErrorKind::UpstreamBroken:
    case ErrorKind::Internal:
      return "api_error";
    default:
      return "invalid_request_error";
  }
}

struct Body {
  std::string type, message;
};

Body read_body(std::string_view json) {
  Body body;
  simdjson::dom::parser parser;
  simdjson::dom::element root, error;
  if (parser.parse(simdjson::padded_string(json)).get(root)) return body;
  if (root["error"].get(error)) return body;
  std::string_view text;
  if (!error["type"].get_string().get(text)) body.type = text;
  if (!error["message"].get_string().get(text)) body.message = text;
  return body;
}

struct TypeClass {
  std::string_view type;
  ErrorKind kind;
  bool retryable;
};

// The type says more than the status, and is all there is of an error inside a stream.
constexpr std::array kTypes = {
    TypeClass{"invalid_request_error", ErrorKind::InvalidRequest, false},
    TypeClass{"not_found_error", ErrorKind::NotFound, false},
    TypeClass{"request_too_large", ErrorKind::TooLarge, false},
    TypeClass{"rate_limit_error", ErrorKind::RateLimited, true},
    TypeClass{"billing_error", ErrorKind::QuotaExhausted, true},
    TypeClass{"timeout_error", ErrorKind::Timeout, true},
    TypeClass{"overloaded_error", ErrorKind::Overloaded, true},
    TypeClass{"api_error", ErrorKind::UpstreamFailed, true},
};

// For bodies that are not Anthropic's: a proxy's, a load balancer's.
TypeClass class_of_status(int status) {
  switch (status) {
    case 402:
      return {"", ErrorKind::QuotaExhausted, true};
    case 404:
      return {"", ErrorKind::NotFound, false};
    case 408:
    case 504:
      return {"", ErrorKind::Timeout, true};
    case 413:
      return {"", ErrorKind::TooLarge, false};
    case 429:
      return {"", ErrorKind::RateLimited, true};
    case 503:
    case 529:
      return {"", ErrorKind::Overloaded, true};
    case 400:
    case 422:
      return {"", ErrorKind::InvalidRequest, false};
    default:
      return {"", ErrorKind::UpstreamFailed, status >= 500};
  }
}

TypeClass class_of(int status, const Body& body) {
  // Our credentials, not the caller's: another target may have better ones.
  if (status == 401 || status == 403 || body.type == "authentication_error" ||
      body.type == "permission_error") {
    return {"", ErrorKind::UpstreamFailed, true};
  }
  for (const auto& known : kTypes) {
    if (known.type == body.type) return known;
  }
  return class_of_status(status);
}

}  // namespace

std::string AnthropicDialect::error_body(const Error& error, std::string_view request_id) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("type", "error").key("error").begin_object();
  json.field("type", type_of(error));
  json.field("message", error.message.empty() ? "The request failed." : error.message);
  json.field("code", error_code(error));
  if (!error.param.empty()) json.field("param", error.param);
  json.end_object();
  if (!request_id.empty()) json.field("request_id", request_id);
  json.end_object();
  return out;
}

Error AnthropicDialect::classify(int status, std::span<const http::Field> fields,
                                 std::string_view raw) const {
  const Body body = read_body(raw);
  const TypeClass known = class_of(status, body);
  Error error;
  error.origin = Origin::Upstream;
  error.upstream_status = status;
  error.retry_after = retry_after(fields);
  if (status == 429 && !error.retry_after) error.retry_after = until_rate_limit_reset(fields);
  error.kind = known.kind;
  error.retryable = known.retryable;
  if (known.kind == ErrorKind::InvalidRequest) {
    if (body.message.find("prompt is too long") != std::string::npos) {
      error.kind = ErrorKind::ContextTooLong;
    } else if (body.message.find("credit balance is too low") != std::string::npos) {
      error.kind = ErrorKind::QuotaExhausted;
      error.retryable = true;
    }
  }
  if (known.kind == ErrorKind::UpstreamFailed && known.type.empty() && status < 500) {
    error.code = "upstream_auth";
  }
  // A refusal of the request is the caller's to read; other errors may speak of our account.
  if (!error.retryable && !body.message.empty()) {
    error.message = std::string(text::utf8_cut(body.message, 2000));
  } else {
    error.message = "The provider answered with status " + std::to_string(status) + ".";
  }
  error.detail = std::string(text::utf8_cut(body.message.empty() ? raw : body.message, 500));
  return error;
}

namespace {

std::string rfc3339(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), size};
}

void write_model(text::JsonWriter& json, const ModelCard& model) {
  json.begin_object().field("type", "model").field("id", model.id);
  json.field("display_name", model.id).field("created_at", rfc3339(model.created));
  json.field("lifecycle", "active").end_object();
}

}  // namespace

std::string AnthropicDialect::tokens_body(std::uint64_t tokens) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("input_tokens", tokens).end_object();
  return out;
}

std::string AnthropicDialect::models_body(std::span<const ModelCard> models) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().key("data").begin_array();
  for (const auto& model : models) write_model(json, model);
  json.end_array().field("has_more", false);
  json.key("first_id");
  models.empty() ? json.null() : json.string(models.front().id);
  json.key("last_id");
  models.empty() ? json.null() : json.string(models.back().id);
  json.end_object();
  return out;
}

std::string AnthropicDialect::model_body(const ModelCard& model) const {
  std::string out;
  text::JsonWriter json(out);
  write_model(json, model);
  return out;
}

}  // namespace causeway::anthropic
