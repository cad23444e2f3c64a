#include "core/upstream_config.h"

#include <unistd.h>

#include "platform/http/client_proxy.h"

namespace causeway {
namespace {

using namespace std::chrono_literals;

Result<void> set_proxy(const UpstreamConfig& config, const EnvironmentVariables& environment,
                       http::Endpoint& endpoint) {
  if (config.proxy == "none") return {};
  if (!config.proxy.empty()) {
    return http::proxy_from_environment(endpoint, [&](std::string_view name) {
      const bool proxy = name == "https_proxy" || name == "http_proxy";
      return proxy ? std::optional(config.proxy) : std::nullopt;
    });
  }
  return http::proxy_from_environment(endpoint, [&](const char* name) {
    const char* value = environment(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

}  // namespace

void describe(config::Fields& f, CallTimeouts& c) {
  f.field("connect", c.connect, "DNS, TCP and TLS together.").range(1ms, 10min);
  f.field("first_byte", c.first_byte, "From the request sent to the head of the answer.")
      .range(1ms, 24h);
  f.field("idle", c.idle, "Between two pieces of the answer.").range(1ms, 24h);
  f.field("total", c.total, "The whole call.").range(1ms, 24h);
}

void describe_upstream(config::Fields& f, UpstreamConfig& c, const char* base_url_doc,
                       const char* api_key_doc) {
  const auto url = [](const std::string& text) -> std::string {
    std::string path;
    auto parsed = http::parse_url(text, path);
    return parsed ? "" : "is " + parsed.error().message;
  };
  f.field("base_url", c.base_url, base_url_doc).check(url, "^https?://");
  f.field("api_key", c.api_key, api_key_doc);
  f.field("headers", c.headers, "Further fields of every request.").confidential();
  f.field("zone", c.zone, "Whether data that goes there leaves the house.");
  f.field("expose", c.expose,
          "Models of this provider that may be asked for as PROVIDER/MODEL without an entry under "
          "`models`; `*` stands for any text, an empty list for none.")
      .or_single();
  f.field("timeouts", c.timeouts, "Instead of the policy's; its total still holds.");
  const auto readable = [](const std::string& file) -> std::string {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) return "";
    return "names a file that cannot be read: " + file;
  };
  f.field("ca_file", c.ca_file, "PEM file of authorities to trust instead of the system's.")
      .check(readable);
  f.field("proxy", c.proxy,
          "http://host:port of a proxy, `none`, or empty: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of "
          "the environment.");
  f.field("connections", c.connections, "Most connections of one event loop.").range(1, 65535);
}

Result<http::Endpoint> endpoint_of(const UpstreamConfig& config,
                                   const EnvironmentVariables& environment, std::string& path) {
  auto endpoint = http::parse_url(config.base_url, path);
  if (!endpoint) return endpoint;
  endpoint->ca_file = config.ca_file;
  endpoint->max_open = config.connections;
  endpoint->id = http::endpoint_id(*endpoint);
  if (auto set = set_proxy(config, environment, *endpoint); !set) return pass(std::move(set));
  return endpoint;
}

std::optional<http::Timeouts> timeouts_of(const UpstreamConfig& config) {
  if (!config.timeouts) return std::nullopt;
  const CallTimeouts& t = *config.timeouts;
  return http::Timeouts{t.connect, t.first_byte, t.idle, t.total};
}

void KeptFields::add(std::string name, std::string value) {
  const auto& [kept_name, kept_value] =
      kept_.emplace_back(std::move(name), Secret(std::move(value)));
  fields_.push_back({kept_name, kept_value.reveal()});
}

}  // namespace causeway
