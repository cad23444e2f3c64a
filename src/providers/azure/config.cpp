#include "providers/azure/config.h"

#include <algorithm>

#include "platform/config/checks.h"

namespace causeway::azure {
namespace {

std::string check_version(const std::string& text) {
  const auto letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  };
  const bool right =
      !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), letter);
  return right ? "" : "must be v1, or a date as in 2024-10-21 or 2025-04-01-preview";
}

}  // namespace

void describe(config::Fields& f, EntraConfig& c) {
  f.field("tenant", c.tenant, "The directory's id or name.").required();
  f.field("client_id", c.client_id, "The application's id.").required();
  f.field("client_secret", c.client_secret, "The application's secret.").required();
  f.field("authority", c.authority, "Where tokens are given; national clouds have their own.")
      .check(config::check_url, "^https?://");
  f.field("scope", c.scope, "What the token is for; `https://ai.azure.com/.default` for Foundry.");
}

void describe(config::Fields& f, AzureConfig& c) {
  describe_upstream(f, c, "The resource's endpoint: https://NAME.openai.azure.com.",
                    "Sent as api-key. One of api_key, token and entra.");
  f.field("api_version", c.api_version,
          "`v1`, or the date of an API version: the form with deployments in the path.")
      .check(check_version, "^[0-9a-z-]{1,40}$");
  f.field("token", c.token, "A fixed token, sent as Authorization: Bearer.");
  f.field("entra", c.entra,
          "Tokens are fetched with these credentials, and anew before they expire.");
  f.field("stream_usage", c.stream_usage,
          "Ask for usage in streams; versions before 2024-09-01-preview refuse the field.");
  f.field("responses", c.responses,
          "Requests to the Responses API go to Azure's as they came (`v1` only), instead of being "
          "translated to chat completions.");
  f.check<AzureConfig>(
      c, [](const AzureConfig& azure, config::Position at, config::Problems& problems) {
        if (azure.base_url.empty()) {
          problems.add(at,
                       "base_url is missing: the resource's endpoint, "
                       "https://NAME.openai.azure.com");
        }
        const int ways = azure.has_key() + !azure.token.empty() + azure.entra.has_value();
        if (ways > 1) problems.add(at, "only one of api_key, token and entra can be set");
        if (azure.responses && azure.api_version != "v1") {
          problems.add(at, "responses needs api_version: v1");
        }
      });
}

}  // namespace causeway::azure
