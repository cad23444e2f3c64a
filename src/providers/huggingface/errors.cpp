#include "providers/huggingface/errors.h"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace causeway::huggingface {
namespace {

using std::chrono::milliseconds;

// A replica takes from half a minute to several minutes to start; who asks again earlier only finds
// the same answer.
constexpr milliseconds kUsualStart{30'000};
constexpr milliseconds kLongestStart{3'600'000};

struct Told {
  std::string text, type;
  double estimated_seconds = 0;
};

Told read(std::string_view body) {
  Told told;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(body)).get(root)) return told;
  std::string_view text;
  if (!root["error"].get_string().get(text)) told.text = text;
  if (!root["error_type"].get_string().get(text)) told.type = text;
  if (root["estimated_time"].get_double().get(told.estimated_seconds)) told.estimated_seconds = 0;
  return told;
}

/// How the text-generation server says that a prompt is too long.
bool is_too_long(const Told& told) {
  return told.type == "validation" &&
         (told.text.find("max_new_tokens` must be") != told.text.npos ||
          told.text.find("inputs` must have less") != told.text.npos);
}

void expect_a_start(const Told& told, Error& error) {
  error.kind = ErrorKind::Overloaded;
  error.retryable = true;
  if (error.retry_after) return;
  const double estimate =
      std::clamp(told.estimated_seconds * 1000, 0.0, static_cast<double>(kLongestStart.count()));
  error.retry_after =
      estimate > 0 ? milliseconds(static_cast<std::int64_t>(estimate)) : kUsualStart;
}

}  // namespace

void refine(int status, std::string_view body, Error& error) {
  const Told told = read(body);
  if (status == 503) {
    expect_a_start(told, error);
  } else if (told.type == "overloaded") {
    error.kind = ErrorKind::Overloaded;
    error.retryable = true;
  } else if (status == 424 || told.type == "generation" || told.type == "incomplete_generation") {
    error.kind = ErrorKind::UpstreamFailed;
    error.retryable = true;
  } else if (is_too_long(told)) {
    error.kind = ErrorKind::ContextTooLong;
  }
}

}  // namespace causeway::huggingface
