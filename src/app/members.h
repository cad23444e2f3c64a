// From a provider of the configuration to its members, and where its replicas are found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/snapshot_builder.h"
#include "core/members.h"
#include "core/upstream_config.h"

namespace causeway::app {

/// How one member differs from the others.
struct MemberSettings {
  std::string name;  // as Member::name
  std::string base_url;
  std::string address;  // as UpstreamConfig::address
  Secret api_key;
};

/// Each replica with each key, at most kMostMembers. `found`: what the source of the replicas has
/// said last, addresses or lines; where nothing is known yet, base_url is the only one.
std::vector<MemberSettings> settings_of_members(const UpstreamConfig& config,
                                                const std::vector<std::string>& found);

/// None for a provider of no kind, which is a problem of its own. Errors: InvalidRequest.
Result<ProviderMembers> make_members(const std::string& name, const config::Variant& value,
                                     const SnapshotParts& parts);

}  // namespace causeway::app
