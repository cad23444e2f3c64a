// One HTTP call from a verb: its own loop, waits for the answer. Not for the program that serves.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/http/client.h"

namespace causeway::app {

struct SimpleRequest {
  std::string method = "GET";
  std::string url;  // http(s)://host[:port]/path
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  http::Timeouts timeouts;
  /// Given each piece of a 2xx answer as it comes; without it the body is collected.
  std::function<void(std::string_view piece)> on_piece;
  /// Asked after each piece and a few times a second: false ends the call, and with it the
  /// connection, with Cancelled.
  std::function<bool()> wanted;
};

struct SimpleAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

Result<SimpleAnswer> simple_call(const SimpleRequest& request);

}  // namespace causeway::app
