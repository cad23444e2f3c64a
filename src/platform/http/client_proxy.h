// The proxy variables that most programs obey: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/http/client.h"

namespace causeway::http {

/// The value of an environment variable, as getenv() gives it; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Fills the endpoint's proxy_host, proxy_port and proxy_authorization, and makes its id anew, when
/// the variables name a proxy for it. Of two spellings the lower-case one counts. HTTPS_PROXY is
/// for TLS endpoints, HTTP_PROXY for the others; "http://[user:password@]host[:port]", with or
/// without the scheme. Never for Unix sockets, "localhost" and loopback addresses, nor for what
/// NO_PROXY names. Error: InvalidRequest for a proxy that cannot be used (another scheme, no URL).
Result<void> proxy_from_environment(Endpoint& endpoint, const Environment& environment);

/// Whether a NO_PROXY list names the host. Separated by commas or spaces, each may be: "*", a name
/// (also its subdomains; a dot or "*." before it changes nothing), an IP address, a CIDR range
/// ("10.0.0.0/8", "fd00::/8"), each but a range with ":port" behind it (IPv6 then in brackets).
bool excluded_from_proxy(std::string_view list, std::string_view host, std::uint16_t port);

}  // namespace causeway::http
