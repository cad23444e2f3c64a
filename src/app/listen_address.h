// "IP:port" of the configuration, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::app {

struct ListenAddress {
  std::string ip;  // literal, without brackets
  std::uint16_t port = 0;
  bool loopback = false;
};

/// "127.0.0.1:8080", "[::1]:8080". Errors: InvalidRequest.
Result<ListenAddress> parse_listen(std::string_view text);

/// With brackets around an IPv6 literal.
std::string to_text(const ListenAddress& address);

}  // namespace causeway::app
