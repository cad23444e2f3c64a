// What an importer has made of another program's configuration: neutral between the formats it is
// read from and the one file that is written.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace causeway::app::importer {

/// A scalar of causeway.yaml. `text` may hold references (`${NAME}`); what is meant literally went
/// through literal() before. `plain`: a number, a switch or a duration, written without quotes.
struct Scalar {
  std::string text{};
  bool plain = false;
  friend bool operator==(const Scalar&, const Scalar&) = default;
};

/// As the file must have a text whose `${` is no reference.
Scalar literal(std::string text);
Scalar reference(const std::string& variable);
Scalar plain(std::string text);

using Settings = std::vector<std::pair<std::string, Scalar>>;

struct ImportedProvider {
  std::string name{};  // what it should be called; ProviderBook makes it unique
  std::string kind{};
  Settings settings{};  // beside kind, in the order in which they are written
  Settings headers{};
  std::vector<std::string> expose{};  // models that may be asked for as PROVIDER/MODEL
  std::string comment{};              // stands above it; empty: none
};

struct ImportedTarget {
  std::string provider{}, model{};
  double weight = 1;
  std::optional<std::uint64_t> context{};  // tokens
  std::vector<std::string> without{};      // what it cannot do: vision, tools
  std::string name() const { return provider + "/" + model; }
};

/// Which of its targets a model goes to by what the caller says of itself.
struct ImportedRule {
  std::string name{};
  std::vector<std::pair<std::string, std::string>> metadata{};
  std::vector<std::string> targets{};
};

struct ImportedModel {
  std::string name{};
  std::string strategy = "fallback";
  std::vector<ImportedTarget> targets{};  // each name once
  std::vector<ImportedRule> rules{};
  std::uint32_t line = 0;  // where the source speaks of it first
};

using Millis = std::chrono::milliseconds;

struct Waits {
  std::optional<Millis> first_byte{}, total{};
  bool empty() const { return !first_byte && !total; }
  friend bool operator==(const Waits&, const Waits&) = default;
};

struct ImportedPolicy {
  std::string name{};
  std::vector<std::string> models{};  // to which it applies; none = to all
  Waits waits{};
  std::optional<int> retries{};
  bool next_when_filtered = false;  // a target that refuses the content is not the last one
  bool drop_unsupported = false;
  std::string pii{};  // action; empty: not said
  std::vector<std::pair<std::string, std::string>> pii_kinds{};
  bool empty() const {
    return waits.empty() && !retries && !next_when_filtered && !drop_unsupported && pii.empty();
  }
};

struct ImportedPrice {
  std::string model{};  // PROVIDER/MODEL
  Settings amounts{};   // input, output, cache_read, cache_write: per million tokens
};

/// What has no equivalent, and what the user can do about it.
struct Remark {
  std::uint32_t line = 0;
  std::string about{};  // path in the source: "router_settings.redis_host"
  std::string text{};
};

struct Imported {
  Settings server{}, log{};
  std::optional<Scalar> body_limit{};
  std::optional<std::string> breaker{};  // what stands behind `breaker:`
  std::vector<ImportedProvider> providers{};
  std::vector<ImportedModel> models{};
  std::vector<ImportedPolicy> policies{};
  std::vector<ImportedPrice> prices{};
  std::optional<Scalar> otlp_endpoint{};
  std::optional<Scalar> slack_url{};        // a receiver of alerts
  std::optional<std::string> slow_after{};  // an alert when answers take longer: "5m"
  std::vector<Remark> remarks{};

  void remark(std::uint32_t line, std::string about, std::string text) {
    remarks.push_back({line, std::move(about), std::move(text)});
  }
};

/// The whole file, with the remarks and the variables that must be set at its top. `tool` and
/// `file` are named there.
std::string write_yaml(const Imported& imported, const std::string& tool, const std::string& file);

}  // namespace causeway::app::importer
