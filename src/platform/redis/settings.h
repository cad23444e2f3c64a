// Where a Redis is and how it is spoken to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::redis {

struct Settings {
  std::string host;
  std::uint16_t port = 6379;
  std::string unix_path;  // not empty: in the place of host and port
  std::string user;       // empty: Redis's user "default"
  Secret password;        // empty: none is sent
  bool tls = false;
  std::string ca_file;  // PEM bundle to trust instead of the system's; empty = the system's
  std::uint32_t database = 0;
  std::chrono::milliseconds timeout{50};  // of each command, from the call on

  /// For people and logs: "redis://host:6379/0", never with a password.
  std::string place() const;
};

/// redis://[[user]:password@]host[:port][/database], rediss:// (TLS), unix:///path[?db=database].
/// User and password may be percent-encoded. Errors: InvalidRequest; no part of the URL is in the
/// message, since a password might be.
Result<Settings> parse_url(std::string_view url);

}  // namespace causeway::redis
