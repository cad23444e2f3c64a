#include "features/insight/otlp/config.h"

#include <unistd.h>

namespace causeway::otlp {

void describe(config::Fields& f, OtlpSettings& c) {
  using namespace std::chrono_literals;
  const auto url = [](const std::string& text) -> std::string {
    const bool http = text.starts_with("http://") || text.starts_with("https://");
    if (text.empty() || (http && !text.ends_with('/'))) return "";
    return "must be http[s]://host[:port][/path] without a / at its end, e.g. "
           "http://127.0.0.1:4318";
  };
  const auto readable = [](const std::string& file) -> std::string {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) return "";
    return "names a file that cannot be read: " + file;
  };
  f.field("endpoint", c.endpoint,
          "Base URL of a receiver of OTLP over HTTP (JSON); /v1/traces and /v1/metrics are added. "
          "Empty: nothing is sent.")
      .check(url, "^(https?://.*[^/])?$");
  f.field("headers", c.headers, "Fields of every request, such as Authorization.");
  f.field("traces", c.traces,
          "Whether a span for each recorded exchange and each of its attempts is sent; the policy "
          "section `traces` says which are recorded.");
  f.field("metrics", c.metrics, "Whether all metrics are sent.");
  f.field("interval", c.interval, "Between two reports of metrics.").range(1s, 1h);
  f.field("timeout", c.timeout, "Of one request.").range(100ms, 5min);
  f.field("ca_file", c.ca_file, "PEM file of authorities to trust instead of the system's.")
      .check(readable);
  f.field("service", c.service, "service.name of what is sent.").check([](const std::string& name) {
    return name.empty() ? std::string("must not be empty") : std::string();
  });
}

}  // namespace causeway::otlp
