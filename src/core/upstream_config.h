// What every provider that is reached over HTTP can be told: where it is, how far it is trusted,
// how long it may take, and by which way it is reached. A kind of provider adds its own settings.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/target.h"
#include "platform/base/secret.h"
#include "platform/config/describe.h"
#include "platform/http/client.h"

namespace causeway {

inline config::Names<Zone> names_of(Zone) {
  return {{"internal", Zone::Internal}, {"external", Zone::External}};
}

struct CallTimeouts {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_byte{120'000};
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds total{600'000};
};

/// Who of a provider's replicas and keys is asked first.
enum class Balance : std::uint8_t { LeastBusy, Prefix };

inline config::Names<Balance> names_of(Balance) {
  return {{"least_busy", Balance::LeastBusy}, {"prefix", Balance::Prefix}};
}

/// Where the copies of a server are: listed, or found by a name or in a file, again and again.
struct ReplicasConfig {
  std::vector<std::string> urls;
  std::string dns;
  std::uint16_t port = 0;  // 0 = base_url's
  std::string file;
  std::chrono::milliseconds every{10'000};
};

/// How a replica is asked whether it is well.
struct ProbeConfig {
  std::string path = "/health";
  std::chrono::milliseconds every{5'000};
  std::chrono::milliseconds timeout{2'000};
  std::uint32_t failures = 2, successes = 1;
};

/// What the provider lets each key do.
struct QuotaConfig {
  std::uint32_t requests_per_minute = 0;
  std::uint64_t tokens_per_minute = 0;
};

inline constexpr std::size_t kMostMembers = 256;  // of one provider

struct UpstreamConfig {
  std::string base_url;  // the kind's own default
  Secret api_key;
  std::vector<Secret> api_keys;  // further ones
  std::optional<ReplicasConfig> replicas;
  Balance balance = Balance::LeastBusy;
  std::optional<ProbeConfig> probe;
  QuotaConfig quota;
  config::Map<std::string> headers;
  Zone zone = Zone::External;
  std::vector<std::string> expose{"*"};
  std::optional<CallTimeouts> timeouts;
  std::string ca_file;
  std::string proxy;
  std::uint32_t connections = 4096;

  // Of one member alone, not of the file: an IP to connect to, in the place of base_url's host.
  std::string address;

  bool has_key() const { return !api_key.empty() || !api_keys.empty(); }
};

void describe(config::Fields& f, CallTimeouts& c);
void describe(config::Fields& f, ReplicasConfig& c);
void describe(config::Fields& f, ProbeConfig& c);
void describe(config::Fields& f, QuotaConfig& c);
/// The fields of UpstreamConfig, with what the kind has to say about the first two.
void describe_upstream(config::Fields& f, UpstreamConfig& c, const char* base_url_doc,
                       const char* api_key_doc);

/// A replica's base URL from what names it: one of its own, or HOST:PORT, where scheme and path are
/// those of `base_url`. Errors: InvalidRequest.
Result<std::string> replica_url(std::string_view text, std::string_view base_url);

using EnvironmentVariables = std::function<const char*(const char* name)>;

/// Where the calls go; `path` is what the base URL has behind the host. Errors: InvalidRequest for
/// a base URL or proxy that cannot be used.
Result<http::Endpoint> endpoint_of(const UpstreamConfig& config,
                                   const EnvironmentVariables& environment, std::string& path);

std::optional<http::Timeouts> timeouts_of(const UpstreamConfig& config);

/// Header fields that are the same for every call, with their values kept.
class KeptFields {
 public:
  KeptFields() = default;
  KeptFields(const KeptFields&) = delete;
  void add(std::string name, std::string value);
  std::span<const http::Field> fields() const { return fields_; }

 private:
  std::list<std::pair<std::string, Secret>> kept_;
  std::vector<http::Field> fields_;  // views into kept_
};

}  // namespace causeway
