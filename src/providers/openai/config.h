// `kind: openai`: any server that speaks OpenAI's API.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/target.h"
#include "platform/base/secret.h"
#include "platform/config/describe.h"

namespace causeway {

inline config::Names<Zone> names_of(Zone) {
  return {{"internal", Zone::Internal}, {"external", Zone::External}};
}

}  // namespace causeway

namespace causeway::openai {

struct CallTimeouts {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{120'000};
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds total{600'000};
};

struct OpenAiConfig {
  std::string base_url = "https://api.openai.com/v1";
  Secret api_key;
  std::string organization, project;
  config::Map<std::string> headers;
  Zone zone = Zone::External;
  std::vector<std::string> expose{"*"};
  bool stream_usage = true;
  std::optional<bool> responses;
  std::optional<CallTimeouts> timeouts;
  std::string ca_file;
  std::string proxy;
  std::uint32_t connections = 4096;
};

void describe(config::Fields& f, CallTimeouts& c);
void describe(config::Fields& f, OpenAiConfig& c);

}  // namespace causeway::openai
