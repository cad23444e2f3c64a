// Top-level section `otlp`: where spans and metrics go as OpenTelemetry's protocol over HTTP.
#pragma once

#include <chrono>
#include <string>

#include "platform/base/secret.h"
#include "platform/config/describe.h"

namespace causeway::otlp {

enum class Sent : std::uint8_t { Off, On };
inline config::Names<Sent> names_of(Sent) { return {{"off", Sent::Off}, {"on", Sent::On}}; }

struct OtlpSettings {
  std::string endpoint;  // "" = nothing is sent
  config::Map<Secret> headers;
  Sent traces = Sent::On, metrics = Sent::On;
  std::chrono::milliseconds interval{15'000};  // between two reports of metrics
  std::chrono::milliseconds timeout{10'000};   // of one request
  std::string ca_file;
  std::string service = "causeway";
};

void describe(config::Fields& f, OtlpSettings& c);

}  // namespace causeway::otlp
