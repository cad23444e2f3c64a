// Error bodies in Google's form, and what a provider's error answer means.
#include <charconv>
#include <string>

#include "core/error.h"
#include "core/retry_after.h"
#include "dialects/gemini/dialect.h"
#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway::gemini {
namespace {

namespace od = json::od;
using json::each_element, json::each_member, json::text_of;

// google.rpc.Code, as the status of an answer.
std::string_view status_of(int http) {
  switch (http) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 409:
      return "ABORTED";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 499:
      return "CANCELLED";
    case 501:
      return "UNIMPLEMENTED";
    case 503:
      return "UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return http >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

struct Body {
  std::string message, status, reason;
  std::optional<std::chrono::milliseconds> wait;
  bool daily = false;  // a quota of a day: waiting a moment does not help
};

// "55s", "1.5s"
std::optional<std::chrono::milliseconds> wait_of(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end == text.data() + text.size() || *end != 's') return std::nullopt;
  if (!(seconds >= 0 && seconds <= 3600)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void read_detail(od::value detail, Body& body) {
  each_member(detail, [&](std::string_view key, od::value value) {
    if (key == "retryDelay") {
      body.wait = wait_of(text_of(value));
    } else if (key == "reason") {
      body.reason = text_of(value);
    } else if (key == "violations") {
      each_element(value, [&](od::value violation) {
        each_member(violation, [&](std::string_view name, od::value one) {
          if (name == "quotaId")
            body.daily |= text_of(one).find("PerDay") != std::string_view::npos;
        });
      });
    }
  });
}

Body read_body(std::string_view raw) {
  Body body;
  std::string padded(raw);
  padded.append(simdjson::SIMDJSON_PADDING, '\0');
  try {
    json::with_parser(raw.size(), [&](od::parser& parser) {
      od::document document = parser.iterate(padded.data(), raw.size(), padded.size());
      // A stream's error comes as a list of one.
      const auto read = [&](od::object object) {
        each_member(object, [&](std::string_view key, od::value value) {
          if (key != "error") return;
          each_member(value, [&](std::string_view name, od::value one) {
            if (name == "message") body.message = text_of(one);
            if (name == "status") body.status = text_of(one);
            if (name == "details") each_element(one, [&](od::value d) { read_detail(d, body); });
          });
        });
      };
      if (document.type() == od::json_type::array) {
        od::array array = document.get_array();
        for (auto element : array) read(json::take(element.get_object()));
      } else {
        read(json::take(document.get_object()));
      }
    });
  } catch (const simdjson::simdjson_error&) {
    // Not this dialect's JSON: the status says enough.
  }
  return body;
}

void classify_refusal(const Body& body, Error& error) {
  error.kind = ErrorKind::InvalidRequest;
  // Our key, or where we or our bill are: nothing that the caller could mend.
  if (body.reason == "API_KEY_INVALID" || body.message.find("API key") != std::string::npos ||
      body.status == "FAILED_PRECONDITION") {
    error.kind = ErrorKind::UpstreamFailed;
    error.code = "upstream_auth";
    error.retryable = true;
  } else if (body.message.find("exceeds the maximum number of tokens") != std::string::npos) {
    error.kind = ErrorKind::ContextTooLong;
  }
}

}  // namespace

std::string GeminiDialect::error_body(const Error& error, std::string_view request_id) const {
  const int status = http_status(error);
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().key("error").begin_object().field("code", status);
  json.field("message", error.message.empty() ? "The request failed." : error.message);
  json.field("status", status_of(status)).key("details").begin_array();
  json.begin_object().field("@type", "type.googleapis.com/google.rpc.ErrorInfo");
  json.field("reason", error_code(error)).field("domain", "causeway").key("metadata");
  json.begin_object();
  if (!request_id.empty()) json.field("request_id", request_id);
  if (!error.param.empty()) json.field("field", error.param);
  json.end_object().end_object();
  if (error.retry_after) {
    json.begin_object().field("@type", "type.googleapis.com/google.rpc.RetryInfo");
    json.field("retryDelay", std::to_string((error.retry_after->count() + 999) / 1000) + "s");
    json.end_object();
  }
  json.end_array().end_object().end_object();
  return out;
}

Error GeminiDialect::classify(int status, std::span<const http::Field> fields,
                              std::string_view raw) const {
  const Body body = read_body(raw);
  Error error;
  error.origin = Origin::Upstream;
  error.upstream_status = status;
  error.retry_after = body.wait ? body.wait : retry_after(fields);
  error.kind = ErrorKind::UpstreamFailed;
  error.retryable = true;
  if (status == 429 || body.status == "RESOURCE_EXHAUSTED") {
    error.kind = body.daily ? ErrorKind::QuotaExhausted : ErrorKind::RateLimited;
  } else if (status == 401 || status == 403) {
    error.code = "upstream_auth";
  } else if (status == 404) {
    error.kind = ErrorKind::NotFound;
    error.retryable = false;
  } else if (status == 413) {
    error.kind = ErrorKind::TooLarge;
    error.retryable = false;
  } else if (status == 400 || status == 422) {
    error.retryable = false;
    classify_refusal(body, error);
  } else if (status == 408 || status == 504 || body.status == "DEADLINE_EXCEEDED") {
    error.kind = ErrorKind::Timeout;
  } else if (status == 503 || body.status == "UNAVAILABLE") {
    error.kind = ErrorKind::Overloaded;
  } else {
    error.retryable = status >= 500;
  }
  // A refusal of the request is the caller's to read; other errors may speak of our account.
  error.message = !error.retryable && !body.message.empty()
                      ? std::string(text::utf8_cut(body.message, 2000))
                      : "The provider answered with status " + std::to_string(status) + ".";
  error.detail = std::string(text::utf8_cut(body.message.empty() ? raw : body.message, 500));
  return error;
}

}  // namespace causeway::gemini
