// The providers of a configuration that are reached over HTTP, of whatever kind.
#pragma once

#include <functional>
#include <string_view>

#include "core/upstream_config.h"
#include "platform/config/values.h"

namespace causeway::app {

/// What `provider` says of its upstream; null for one that has none, as the embedded models.
const UpstreamConfig* upstream_of(const config::Variant& provider);
/// The same provider with its upstream changed; `provider` has one.
config::Variant changed_upstream(const config::Variant& provider,
                                 const std::function<void(UpstreamConfig&)>& change);
/// Whether one of them has a quota of its own.
bool any_quota(const config::Map<config::Variant>& providers);
/// How people call the API that it speaks: "OpenAI's API".
std::string_view api_of(const config::Variant& provider);

}  // namespace causeway::app
