// Error bodies in the OpenAI form, and what a provider's error answer means.
#include <simdjson.h>

#include "core/error.h"
#include "core/retry_after.h"
#include "dialects/openai/dialect.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway::openai {
namespace {

// The type of an error body, as OpenAI's own service and clients use them.
std::string_view type_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::Unauthenticated:
      return "authentication_error";
    case ErrorKind::Forbidden:
      return "permission_error";
    case ErrorKind::RateLimited:
      return "rate_limit_error";
    case ErrorKind::QuotaExhausted:
      return "insufficient_quota";
    case ErrorKind::Overloaded:
    case ErrorKind::Unavailable:
      return "service_unavailable_error";
    case ErrorKind::Timeout:
      return error.origin == Origin::Client ? "invalid_request_error" : "upstream_error";
    case ErrorKind::ConnectFailed:
    case ErrorKind::UpstreamFailed:
    case ErrorKind::UpstreamBroken:
      return "upstream_error";
    case ErrorKind::Internal:
      return "internal_error";
    default:
      return "invalid_request_error";
  }
}

struct Body {
  std::string message, type, code, param;
};

std::string text_of(simdjson::simdjson_result<simdjson::dom::element> element) {
  std::string_view text;
  if (!element.get_string().get(text)) return std::string(text);
  std::int64_t number = 0;
  if (!element.get_int64().get(number)) return std::to_string(number);
  return {};
}

// {"error":{message,type,code,param}}, {"error":"text"}, {"message":"text"}, {"detail":"text"}.
Body read_body(std::string_view json) {
  Body body;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(json)).get(root)) return body;
  simdjson::dom::element error;
  if (!root["error"].get(error)) {
    body.message = text_of(error["message"]);
    if (body.message.empty()) body.message = text_of(root["error"]);
    body.type = text_of(error["type"]);
    body.code = text_of(error["code"]);
    body.param = text_of(error["param"]);
  }
  if (body.message.empty()) body.message = text_of(root["message"]);
  if (body.message.empty()) body.message = text_of(root["detail"]);
  return body;
}

bool says(const Body& body, std::string_view word) {
  return body.code == word || body.type == word;
}

void classify_rate(const Body& body, Error& error) {
  const bool money = says(body, "insufficient_quota") || says(body, "billing_hard_limit_reached");
  error.kind = money ? ErrorKind::QuotaExhausted : ErrorKind::RateLimited;
  error.retryable = true;  // elsewhere, or later
}

void classify_refusal(const Body& body, Error& error) {
  if (says(body, "context_length_exceeded") || says(body, "exceed_context_size_error")) {
    error.kind = ErrorKind::ContextTooLong;
  } else if (says(body, "content_filter") || says(body, "content_policy_violation")) {
    error.kind = ErrorKind::ContentFiltered;
  } else {
    error.kind = ErrorKind::InvalidRequest;
  }
}

// What a caller is told where the provider's own words speak of our account, or of nothing.
std::string said_by_us(const Error& error, int status) {
  std::string what = "The provider answered with an error";
  if (error.code == "upstream_auth") what = "The provider did not take the gateway's key";
  if (error.kind == ErrorKind::RateLimited) what = "The provider's rate limit is reached";
  if (error.kind == ErrorKind::QuotaExhausted) what = "The gateway's account there is used up";
  return what + " (status " + std::to_string(status) + ").";
}

}  // namespace

std::string OpenAiDialect::error_body(const Error& error, std::string_view request_id) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().key("error").begin_object();
  json.field("message", error.message.empty() ? "The request failed." : error.message);
  json.field("type", type_of(error)).key("param");
  if (error.param.empty()) {
    json.null();
  } else {
    json.string(error.param);
  }
  json.field("code", error_code(error));
  if (!request_id.empty()) json.field("request_id", request_id);
  json.end_object().end_object();
  return out;
}

Error OpenAiDialect::classify(int status, std::span<const http::Field> fields,
                              std::string_view raw) const {
  const Body body = read_body(raw);
  Error error;
  error.origin = Origin::Upstream;
  error.upstream_status = status;
  error.retry_after = retry_after(fields);
  if (status == 429 && !error.retry_after) error.retry_after = until_rate_limit_reset(fields);
  error.kind = ErrorKind::UpstreamFailed;
  switch (status) {
    case 429:
      classify_rate(body, error);
      break;
    case 402:
      error.kind = ErrorKind::QuotaExhausted;
      error.retryable = true;
      break;
    case 401:
    case 403:
      // Our credentials, not the caller's: another target may have better ones.
      error.retryable = true;
      error.code = "upstream_auth";
      break;
    case 404:
      error.kind = ErrorKind::NotFound;
      break;
    case 400:
    case 422:
      classify_refusal(body, error);
      break;
    case 413:
      error.kind = ErrorKind::TooLarge;
      break;
    case 408:
    case 504:
      error.kind = ErrorKind::Timeout;
      error.retryable = true;
      break;
    case 503:
    case 529:
      error.kind = ErrorKind::Overloaded;
      error.retryable = true;
      break;
    default:
      error.retryable = status >= 500;
      break;
  }
  // A refusal of the request is the caller's to read; other errors may speak of our account.
  const bool callers = !error.retryable;
  if (callers && !body.message.empty()) {
    error.message = std::string(text::utf8_cut(body.message, 2000));
    error.param = body.param;
    // Self-hosted servers write the status there; ours says more.
    const bool is_status =
        !body.code.empty() && body.code.find_first_not_of("0123456789") == std::string::npos;
    if (!is_status) error.code = body.code;
  } else {
    error.message = said_by_us(error, status);
  }
  error.detail = std::string(text::utf8_cut(body.message.empty() ? raw : body.message, 500));
  return error;
}

namespace {

void write_model(text::JsonWriter& json, const ModelCard& model) {
  json.begin_object().field("id", model.id).field("object", "model");
  json.field("created", model.created).field("owned_by", model.owned_by).end_object();
}

}  // namespace

std::string OpenAiDialect::models_body(std::span<const ModelCard> models) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("object", "list").key("data").begin_array();
  for (const auto& model : models) write_model(json, model);
  json.end_array().end_object();
  return out;
}

std::string OpenAiDialect::model_body(const ModelCard& model) const {
  std::string out;
  text::JsonWriter json(out);
  write_model(json, model);
  return out;
}

}  // namespace causeway::openai
