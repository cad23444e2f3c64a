// What Bedrock's exceptions mean. They are told apart by their name: one name comes with several
// statuses, and inside a stream there is none.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/retry_after.h"
#include "dialects/converse/dialect.h"
#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::converse {
namespace {

struct Meaning {
  std::string_view type;  // without "Exception", since a stream writes the first letter small
  ErrorKind kind;
  bool retryable;
  std::string_view code = {};
};

constexpr std::array kMeanings = {
    Meaning{"Throttling", ErrorKind::RateLimited, true},
    Meaning{"TooManyRequests", ErrorKind::RateLimited, true},
    Meaning{"ServiceQuotaExceeded", ErrorKind::QuotaExhausted, true},
    Meaning{"ModelNotReady", ErrorKind::Overloaded, true},
    Meaning{"ServiceUnavailable", ErrorKind::Overloaded, true},
    Meaning{"ModelTimeout", ErrorKind::Timeout, true},
    Meaning{"ModelError", ErrorKind::UpstreamFailed, true},
    Meaning{"ModelStreamError", ErrorKind::UpstreamFailed, true},
    Meaning{"InternalServer", ErrorKind::UpstreamFailed, true},
    Meaning{"InternalFailure", ErrorKind::UpstreamFailed, true},
    Meaning{"Validation", ErrorKind::InvalidRequest, false},
    Meaning{"ResourceNotFound", ErrorKind::NotFound, false},
    // Our credentials, not the caller's: another target may have better ones.
    Meaning{"AccessDenied", ErrorKind::UpstreamFailed, true, "upstream_auth"},
    Meaning{"UnrecognizedClient", ErrorKind::UpstreamFailed, true, "upstream_auth"},
    Meaning{"InvalidSignature", ErrorKind::UpstreamFailed, true, "upstream_auth"},
    Meaning{"IncompleteSignature", ErrorKind::UpstreamFailed, true, "upstream_auth"},
    Meaning{"MissingAuthenticationToken", ErrorKind::UpstreamFailed, true, "upstream_auth"},
    Meaning{"ExpiredToken", ErrorKind::UpstreamFailed, true, "upstream_auth"},
};

/// Of a status whose name is not known.
Meaning meaning_of(int status) {
  switch (status) {
    case 400:
      return {{}, ErrorKind::InvalidRequest, false};
    case 401:
    case 403:
      return {{}, ErrorKind::UpstreamFailed, true, "upstream_auth"};
    case 404:
      return {{}, ErrorKind::NotFound, false};
    case 408:
    case 504:
      return {{}, ErrorKind::Timeout, true};
    case 413:
      return {{}, ErrorKind::TooLarge, false};
    case 429:
      return {{}, ErrorKind::RateLimited, true};
    case 503:
      return {{}, ErrorKind::Overloaded, true};
    default:
      return {{}, ErrorKind::UpstreamFailed, status >= 500 || status == 424 || status == 0};
  }
}

/// "com.amazonaws…#ThrottlingException:http://…" → "Throttling".
std::string_view bare(std::string_view type) {
  type = type.substr(0, type.find(':'));
  type = type.substr(type.rfind('#') + 1);
  constexpr std::string_view kEnding = "Exception";
  if (type.ends_with(kEnding)) type.remove_suffix(kEnding.size());
  return type;
}

Meaning meaning_of(std::string_view type, int status) {
  const std::string_view name = bare(type);
  const auto found = std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& one) {
    return http::same_name(one.type, name);
  });
  return found == kMeanings.end() ? meaning_of(status) : *found;
}

bool says(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return text::to_lower(a) == text::to_lower(b); };
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

bool is_too_long(std::string_view message) {
  return says(message, "too long") || says(message, "input tokens exceed") ||
         says(message, "maximum context length");
}

struct Body {
  std::string message, type;
};

Body read(std::string_view json) {
  Body body;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(json)).get(root)) return body;
  std::string_view text;
  for (const char* name : {"message", "Message"}) {
    if (!root[name].get_string().get(text)) body.message = text;
  }
  if (!root["__type"].get_string().get(text)) body.type = text;
  return body;
}

}  // namespace

Error classify_exception(std::string_view type, int status, std::string_view raw) {
  const Body body = read(raw);
  const Meaning meaning = meaning_of(type.empty() ? body.type : type, status);
  Error error;
  error.origin = Origin::Upstream;
  error.upstream_status = status;
  error.kind = meaning.kind;
  error.retryable = meaning.retryable;
  error.code = meaning.code;
  if (error.kind == ErrorKind::RateLimited && says(body.message, "per day")) {
    error.kind = ErrorKind::QuotaExhausted;
  }
  if (error.kind == ErrorKind::InvalidRequest && is_too_long(body.message)) {
    error.kind = ErrorKind::ContextTooLong;
  }
  // A refusal of the request is the caller's to read; other errors may speak of our account.
  if (!error.retryable && !body.message.empty()) {
    error.message = std::string(text::utf8_cut(body.message, 2000));
  } else if (status != 0) {
    error.message = "The provider answered with status " + std::to_string(status) + ".";
  } else {
    error.message = "The provider ended the answer with an error.";
  }
  const std::string_view told = body.message.empty() ? raw : std::string_view(body.message);
  error.detail = std::string(bare(type)) + ": " + std::string(text::utf8_cut(told, 500));
  return error;
}

Error ConverseDialect::classify(int status, std::span<const http::Field> fields,
                                std::string_view body) const {
  Error error =
      classify_exception(http::find(fields, "x-amzn-errortype").value_or(""), status, body);
  error.retry_after = retry_after(fields);
  return error;
}

}  // namespace causeway::converse
