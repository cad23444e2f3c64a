#include "core/upstream_config.h"

#include <unistd.h>

#include <algorithm>

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

std::string wrong_replica(const std::string& text) {
  const auto url = replica_url(text, {});
  return url ? "" : "is " + url.error().message;
}

std::string wrong_host(const std::string& text) {
  std::string path;
  const auto url = http::parse_url("http://" + text, path);
  const bool only = url && path.empty() && text.find(':') == text.npos;
  return only || text.empty() ? "" : "must be the name of a host";
}

std::string wrong_probe(const std::string& text) {
  if (text.starts_with('/')) return "";
  std::string path;
  const auto parsed = http::parse_url(text, path);
  return parsed ? "" : "must be a path that begins with /, or is " + parsed.error().message;
}

}  // namespace

void describe(config::Fields& f, QuotaConfig& c) {
  f.field("requests_per_minute", c.requests_per_minute, "0 = no limit is known.");
  f.field("tokens_per_minute", c.tokens_per_minute,
          "Of prompts and answers together; 0 = no limit is known.");
}

namespace {

void describe_members(config::Fields& f, UpstreamConfig& c) {
  f.field("api_keys", c.api_keys,
          "Further keys: requests are spread over all of them, and one that the provider limits "
          "rests by itself.");
  f.field(
      "replicas", c.replicas,
      "Copies of the server, each asked by itself: a list of base URLs, or where to find them.");
  f.field("balance", c.balance,
          "Who of the replicas and keys is asked first. `least_busy`: the less busy of two. "
          "`prefix`: the same one for prompts that begin alike, within a bound on its load.");
  f.field("probe", c.probe,
          "Each member is asked by itself whether it is well; one that is not is left alone.");
  f.field("quota", c.quota,
          "What the provider lets each key do: requests wait here instead of being refused there. "
          "What it says in its answers is heeded in any case.");
  f.check<UpstreamConfig>(
      c, [](const UpstreamConfig& upstream, config::Position at, config::Problems& problems) {
        const std::size_t keys = upstream.api_keys.size() + !upstream.api_key.empty();
        const std::size_t replicas = upstream.replicas ? upstream.replicas->urls.size() : 1;
        if (std::max<std::size_t>(1, keys) * replicas > kMostMembers) {
          problems.add(at, "at most 256 members (replicas times keys)");
        }
        const bool by_name = upstream.replicas && !upstream.replicas->dns.empty();
        if (by_name && !upstream.proxy.empty() && upstream.proxy != "none") {
          problems.add(at, "replicas by dns are reached directly: they cannot have a proxy");
        }
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

void describe(config::Fields& f, ReplicasConfig& c) {
  f.field("urls", c.urls, "One base URL each, or HOST:PORT, with the rest as in base_url.")
      .check(wrong_replica)
      .alone();
  f.field("dns", c.dns, "All addresses of this name, which is the requests' host as well.")
      .check(wrong_host);
  f.field("port", c.port, "Of those addresses; 0 = base_url's.").range(0, 65535);
  f.field("file", c.file,
          "A file with one base URL or HOST:PORT a line; what is behind a # is left out.");
  f.field("every", c.every, "How often the name or the file is looked at.").range(100ms, 24h);
  f.check<ReplicasConfig>(
      c, [](const ReplicasConfig& replicas, config::Position at, config::Problems& problems) {
        const int sources = !replicas.urls.empty() + !replicas.dns.empty() + !replicas.file.empty();
        if (sources != 1) problems.add(at, "replicas needs one of urls, dns and file");
      });
}

void describe(config::Fields& f, ProbeConfig& c) {
  f.field("path", c.path,
          "A path of each member, asked with its credentials, or a whole URL, asked without.")
      .check(wrong_probe, "^(/|https?://)");
  f.field("every", c.every, "How often each is asked.").range(100ms, 1h);
  f.field("timeout", c.timeout, "Longest wait for the answer.").range(10ms, 1min);
  f.field("failures", c.failures, "In a row, after which a member is left alone.").range(1, 100);
  f.field("successes", c.successes, "In a row (status 2xx), after which it is asked again.")
      .range(1, 100);
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
  describe_members(f, c);
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

Result<std::string> replica_url(std::string_view text, std::string_view base_url) {
  std::string path;
  if (text.find("://") != text.npos) {
    if (auto parsed = http::parse_url(text, path); !parsed) return pass(std::move(parsed));
    return std::string(text);
  }
  const std::size_t scheme = base_url.find("://");
  const std::string before(scheme == base_url.npos ? "http://" : base_url.substr(0, scheme + 3));
  std::string url = before + std::string(text);
  auto parsed = http::parse_url(url, path);
  if (!parsed) return pass(std::move(parsed));
  if (!path.empty() || scheme == base_url.npos) return url;
  const std::size_t slash = base_url.find('/', scheme + 3);
  return slash == base_url.npos ? url : url.append(base_url.substr(slash));
}

Result<http::Endpoint> endpoint_of(const UpstreamConfig& config,
                                   const EnvironmentVariables& environment, std::string& path) {
  auto endpoint = http::parse_url(config.base_url, path);
  if (!endpoint) return endpoint;
  endpoint->ca_file = config.ca_file;
  endpoint->max_open = config.connections;
  endpoint->address = config.address;
  endpoint->id = http::endpoint_id(*endpoint);
  // A proxy would look the name up by itself.
  if (!config.address.empty()) return endpoint;
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
